// A codename that no `permissions!` declares, in the permission of a group.

use portcullis::{AllowAny, Event, Group, User, consumer};

struct Chat;
struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

#[derive(Event)]
struct Said;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = chat.can_read, publish = members, events(Said))]
struct Room(u32);

#[consumer(user = Member)]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
