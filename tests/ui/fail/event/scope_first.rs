// The event parameter must come before the scope.

use portcullis::{AllowAny, Event, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Scope<()>, _: &Sent) -> Option<u32> {
        None
    }
}

fn main() {}
