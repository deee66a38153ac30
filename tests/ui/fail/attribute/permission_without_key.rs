// A permission without its key. The action is not reported as one without a permission too.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
