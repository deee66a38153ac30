// The permission of an event can never hold.

use portcullis::{Consumer, Event, EventPermission, IsAuthenticated, Scope, consumer};

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

#[consumer(user = ())]
impl Chat {
    #[event(permission = IsOwner & IsAuthenticated & !IsOwner)]
    fn sent(&self, event: &Sent) -> u32 {
        event.room
    }
}

fn main() {}
