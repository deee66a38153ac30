// The user type of the `Scope` differs from that of the consumer.

use portcullis::{AllowAny, Event, Scope, User, consumer};

struct Chat;
#[derive(Event)]
struct Sent;
struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "".into()
    }
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent, _: &Scope<Member>) -> Option<u32> {
        None
    }
}

fn main() {}
