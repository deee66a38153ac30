// `Blocking` is for permissions that give their work.

use portcullis::{Blocking, IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = Blocking(IsAuthenticated))]
    async fn ping(&self) {}
}

fn main() {}
