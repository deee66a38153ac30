// A leaf on an action of a consumer names a capture: no route leads to the actions of a consumer.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer};

struct Chat;

struct InRoom(u64);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 > 0)
    }
}

#[consumer]
impl Chat {
    #[action(permission = InRoom({room_id}))]
    async fn ping(&self) {}
}

fn main() {}
