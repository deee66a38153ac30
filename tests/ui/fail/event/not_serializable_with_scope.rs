// The payload of an event that takes the scope does not implement `Serialize`.

use portcullis::{AllowAny, Event, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Sent;
struct View;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent, _: &Scope<()>) -> Option<View> {
        None
    }
}

fn main() {}
