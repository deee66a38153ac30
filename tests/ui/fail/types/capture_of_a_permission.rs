// A permission reads a capture that the mount does not provide.

use portcullis::{AllowAny, Handler, Permission, PermissionContext, Result, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct RoomMember;

impl<H: Handler> Permission<H> for RoomMember {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.capture::<u64>("room_id")? > 0)
    }
}

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = RoomMember)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

fn main() {}
