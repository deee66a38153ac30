// A group without a `#[group(..)]` attribute.

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
struct RoomGroup {
    room: u32,
}

fn main() {}
