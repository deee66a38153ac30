// A permission type that does not exist: one error, with the similar name.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = (), permission = IsAuthentcated)]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
