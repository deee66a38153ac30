// A leading dot. The message shows how a codename is written.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = ".can_write")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
