// `blocking` stands alone.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated, blocking = true)]
    fn ping(&self) {}
}

fn main() {}
