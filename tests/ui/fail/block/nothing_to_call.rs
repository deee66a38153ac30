// A consumer block without actions, routes or events.

use portcullis::{AllowAny, Consumer, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    async fn ping(&self) {}
}

// The type still implements `Consumer`, so the mistake causes no further errors.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
