// Nothing is open by silence. The message says where a permission can stand, and how openness is written.

use portcullis::{Consumer, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

// The type is still a consumer, so nothing but the mistake is told.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
