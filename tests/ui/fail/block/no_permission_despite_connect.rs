// `connect = ..` does not set a permission for actions.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = (), connect = IsAuthenticated)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
