// The permission of an event must implement `EventPermission`, not only `Permission`.

use portcullis::{Event, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;
#[derive(Event)]
struct Sent {
    room: u32,
}

struct IsFriend;

impl<H: Handler> Permission<H> for IsFriend {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(false)
    }
}

#[consumer]
impl Chat {
    #[event(permission = IsFriend)]
    fn sent(&self, event: &Sent) -> u32 {
        event.room
    }
}

fn main() {}
