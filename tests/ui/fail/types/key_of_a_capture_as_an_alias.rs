// A serde alias of the argument has the name of the capture.

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
    async fn delete(&self, #[serde(alias = "room_id")] id: u32) {
        let _ = id;
    }
}

fn main() {}
