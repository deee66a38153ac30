// A consumer's own messages have no captures, so none of its own permissions reads one.

use portcullis::{Context, Handler, Permission, Result, consumer};

struct Chat;

struct RoomMember;

impl<H: Handler> Permission<H> for RoomMember {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &Context<'_, H::User>) -> Result<bool> {
        Ok(cx.capture::<u64>("room_id")? > 0)
    }
}

#[consumer]
impl Chat {
    #[action(permission = RoomMember)]
    async fn ping(&self) {}
}

fn main() {}
