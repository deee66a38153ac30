// A leaf takes a capture of a type that does not implement `FromStr`.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;
struct RoomId;

struct InRoom(RoomId);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        let _ = &self.0;
        Ok(true)
    }
}

#[handler(permission = InRoom({room_id}))]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
