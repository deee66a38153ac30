// A combinator of another framework instead of `|`.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = Or(Staff, Owner))]
    async fn show(&self) {}
}

fn main() {}
