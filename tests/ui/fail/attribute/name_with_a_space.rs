// A space in `name`. The message names the invalid character and lists the allowed ones.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, name = "ping all")]
    async fn ping(&self) {}
}

fn main() {}
