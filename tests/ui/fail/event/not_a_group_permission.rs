// The permission of a group must implement `GroupPermission`, not only `Permission`.

use portcullis::{AllowAny, Event, Group, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

struct IsFriend;

impl<H: Handler> Permission<H> for IsFriend {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(false)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = IsFriend, publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
