// `AllowAny` under another name inside of the expression of a group.

use portcullis::{AllowAny as Open, Event, Group, IsAuthenticated, consumer};

#[derive(Event)]
struct Said;
struct Chat;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = IsAuthenticated, publish = "IsAuthenticated | Open", events(Said))]
struct Room(u32);

#[consumer(user = ())]
impl Chat {
    #[event(permission = IsAuthenticated)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
