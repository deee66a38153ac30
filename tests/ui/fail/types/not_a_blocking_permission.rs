// The argument of `Blocking` must be a blocking permission.

use portcullis::{Blocking, IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = Blocking(IsAuthenticated))]
    async fn ping(&self) {}
}

fn main() {}
