// The key is an enum, which has no fields.

use portcullis::{AllowAny, Event, Group, Result, Rule, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Said;

struct InRoom(u32);

impl Rule<Chat> for InRoom {
    async fn holds(&self, _: &Chat, _: &Scope<()>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(_: &Said) -> u8 {
        1
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = "InRoom({room_id})", publish = members, events(Said))]
enum Room {
    A,
}

fn main() {}
