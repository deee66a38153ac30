// A generic consumer is checked when it is mounted: its `connect` permission reads a capture.

use portcullis::{AllowAny, Consumer, Handler, Permission, PermissionContext, Result, consumer};

struct InRoom;

impl<H: Handler> Permission<H> for InRoom {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        cx.capture::<u64>("room_id").map(|room| room > 0)
    }
}

struct Chat<P>(P);

#[consumer(permission = AllowAny, connect = InRoom)]
impl<P: Send + Sync + 'static> Chat<P> {
    #[action]
    async fn ping(&self) {}
}

// Mounting the consumer evaluates this constant.
const _: () = <Chat<u8> as Consumer>::CHECK;

fn main() {}
