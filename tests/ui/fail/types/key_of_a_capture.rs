// The permission is evaluated for the captured room, and the action would delete the room that the client names.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct InRoom;

impl<H: Handler> Permission<H> for InRoom {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        cx.capture::<u32>("room_id").map(|room| room == 1)
    }
}

#[consumer]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = InRoom)]
impl Rooms {
    #[action]
    async fn delete(&self, room_id: u32) {
        let _ = room_id;
    }
}

fn main() {}
