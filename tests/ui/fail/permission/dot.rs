// A dot that names nothing. The message says what a permission looks like.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = ".can_write")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
