// A `connect` permission reads a capture: a connection has no captures.

use portcullis::{AllowAny, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;

struct RoomMember;

impl<H: Handler> Permission<H> for RoomMember {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.capture::<u64>("room_id")? > 0)
    }
}

#[consumer(permission = AllowAny, connect = "RoomMember")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
