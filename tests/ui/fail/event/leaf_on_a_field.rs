// A permission type is evaluated for the whole event, not for a field of it.

use portcullis::{Consumer, Event, EventPermission, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Sent {
    room: u32,
}

struct IsOwner;

impl<C: Consumer> EventPermission<Sent, C> for IsOwner {
    fn may_see(&self, _: &C, _: &Scope<C::User>, event: &Sent) -> bool {
        event.room > 0
    }
}

#[consumer]
impl Chat {
    #[event(permission = IsOwner(room))]
    fn sent(&self, event: &Sent) -> u32 {
        event.room
    }
}

fn main() {}
