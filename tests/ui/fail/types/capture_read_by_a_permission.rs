// A permission gets captures as arguments and cannot read others.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;

struct InRoom;

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.capture::<u64>("room_id")? > 0)
    }
}

#[handler(permission = InRoom)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
