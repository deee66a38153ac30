// The value of `crate` is not a path.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, crate = "not a path")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
