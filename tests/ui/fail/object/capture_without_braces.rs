// A leaf names a `#[path]` parameter as its object; the braces are forgotten.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[handler]
impl Rooms {
    #[action(permission = InRoom(room_id))]
    async fn read(&self, #[path] room_id: u64) -> u64 {
        room_id
    }
}

fn main() {}
