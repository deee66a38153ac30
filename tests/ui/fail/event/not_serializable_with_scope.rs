// The payload of an event that takes the scope does not implement `Serialize`.

use portcullis::{AllowAny, Scope, consumer};

struct Chat;
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
