// A leaf of an action names a capture that the mount does not provide.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[consumer]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler]
impl Rooms {
    #[action(permission = InRoom({room_id}))]
    async fn delete(&self) {}
}

fn main() {}
