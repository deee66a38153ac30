// The key of an object is read from a message key that has the name of the capture.

use portcullis::{AllowAny, Context, Handler, Load, Object, Result, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct Room;

impl<H: Handler> Load<H> for Room {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, _: &u32) -> Result<Option<Self>> {
        Ok(Some(Room))
    }
}

#[consumer]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler]
impl Rooms {
    #[action(permission = AllowAny(room))]
    async fn delete(&self, #[object("room_id")] room: Object<Room>) {
        let _ = room;
    }
}

fn main() {}
