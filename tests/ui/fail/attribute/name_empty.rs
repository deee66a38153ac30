// An empty `name`. The message suggests removing the key.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, name = "")]
    async fn ping(&self) {}
}

fn main() {}
