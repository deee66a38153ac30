// A permission on an action of a consumer reads a capture: a consumer's own actions have no captures.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer};

struct Chat;

struct RoomMember;

impl<H: Handler> Permission<H> for RoomMember {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.capture::<u64>("room_id")? > 0)
    }
}

#[consumer]
impl Chat {
    #[action(permission = RoomMember)]
    async fn ping(&self) {}
}

fn main() {}
