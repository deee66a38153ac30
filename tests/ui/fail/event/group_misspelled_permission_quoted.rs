// A misspelled permission in both quoted expressions of a group: no suggestion replaces a whole expression.

use portcullis::{AllowAny, Event, Group, GroupPermission, IsAuthenticated, Result, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Said;
struct InRoom(u32);

impl GroupPermission<Room, Chat> for InRoom {
    async fn may_join(&self, _: &Chat, _: &Scope<()>, _: &Room) -> Result<bool> {
        Ok(true)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = "InRoom({0}) & IsAuthentcated", publish = "!InRom({0}) & IsAuthenticated", events(Said))]
struct Room(u32);

#[consumer(user = ())]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
