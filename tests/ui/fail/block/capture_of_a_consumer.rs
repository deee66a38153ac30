// The permission of a consumer names a capture, in a quoted expression.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer};

struct Chat;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[consumer(permission = "InRoom({room_id})")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
