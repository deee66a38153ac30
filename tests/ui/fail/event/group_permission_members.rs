// `members` as the permission for joining.

use portcullis::{AllowAny, Group, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = members, publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
