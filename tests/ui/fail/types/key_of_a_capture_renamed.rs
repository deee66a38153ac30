// A serde rename gives the argument the name of the capture.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct InRoom(u32);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 == 1)
    }
}

#[consumer]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = InRoom({room_id}))]
impl Rooms {
    #[action]
    async fn delete(&self, #[serde(rename = "room_id")] id: u32) {
        let _ = id;
    }
}

fn main() {}
