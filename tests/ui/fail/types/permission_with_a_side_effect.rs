// A permission has no side effects: it can neither join a group nor close the connection.

use portcullis::{AllowAny, CloseCode, Event, Group, Permission, PermissionContext, Result, consumer};

struct Chat;
#[derive(Event)]
struct Said;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
struct Room;

struct Joins;

impl Permission<Chat> for Joins {
    async fn has_permission(&self, _: &Chat, cx: &PermissionContext<'_, ()>) -> Result<bool> {
        cx.join(Room).await?;
        cx.close(CloseCode::NORMAL, "")?;
        Ok(true)
    }
}

#[consumer(permission = Joins)]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(_: &Said) -> u8 {
        1
    }
}

fn main() {}
