// A number in braces is a field of a group, not a capture.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[handler(permission = InRoom({0}))]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
