// `user` on an action: the key belongs on the block attribute.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, user = Member)]
    async fn ping(&self) {}
}

fn main() {}
