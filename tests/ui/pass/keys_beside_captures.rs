//! Message keys and captures in one action: allowed if their names differ, or if the capture belongs to another block.

use portcullis::{AllowAny, Consumer, Context, Handler, Load, Object, Result, consumer, handler};

struct Room(u32);

impl<H: Handler> Load<H> for Room {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u32) -> Result<Option<Self>> {
        Ok(Some(Room(*key)))
    }
}

struct Rooms;

#[handler]
impl Rooms {
    #[action(permission = AllowAny)]
    async fn rename(&self, #[path] room_id: u32, name: String) -> String {
        format!("{room_id}: {name}")
    }

    #[action(permission = AllowAny)]
    fn merge(
        &self,
        #[path("room_id")] into: u32,
        #[serde(rename = "from_room_id", alias = "from")] room_id: u32,
    ) -> u32 {
        into + room_id
    }

    #[action(permission = "AllowAny(room) & AllowAny(others)", deny_unknown)]
    fn link(
        &self,
        #[path("room_id")] room: Object<Room>,
        #[object("rooms[].room_id")] others: Vec<Object<Room>>,
    ) -> u32 {
        room.0 + others.iter().map(|other| other.0).sum::<u32>()
    }

    #[cfg(any())]
    #[action(permission = AllowAny)]
    fn left_out(&self, room_id: u32) -> u32 {
        room_id
    }
}

struct Chat(Rooms);

#[consumer]
impl Chat {
    // No route leads to a consumer's own actions, so they have no captures.
    #[action(permission = AllowAny)]
    fn open(&self, room_id: u32) -> u32 {
        room_id
    }

    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
