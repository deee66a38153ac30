// `members` in a quoted expression with a permission.

use portcullis::{AllowAny, Event, Group, IsAuthenticated, consumer};

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

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = "IsAuthenticated & members", events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
