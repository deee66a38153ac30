// A block in which nothing is marked.

use portcullis::{Consumer, IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    async fn ping(&self) {}
}

// The type is still a consumer, so nothing but the mistake is told.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
