// A combinator of another framework instead of `!`, in a quoted expression.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = "Staff & Not(Banned)")]
    async fn show(&self) {}
}

fn main() {}
