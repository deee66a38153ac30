// The flag `blocking` takes no value.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, blocking = true)]
    fn ping(&self) {}
}

fn main() {}
