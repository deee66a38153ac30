// A consumer block without actions, routes or events.

use portcullis::{Consumer, IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    async fn ping(&self) {}
}

// The type still implements `Consumer`, so the mistake causes no further errors.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
