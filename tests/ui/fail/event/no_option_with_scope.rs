// An `#[event]` method that takes the scope must return an `Option`.

use portcullis::{AllowAny, Event, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent, _: &Scope<()>) -> u32 {
        5
    }
}

fn main() {}
