// A `connect` permission names a capture: a connection has no route.

use portcullis::{AllowAny, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[consumer(permission = AllowAny, connect = "InRoom({room_id})")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
