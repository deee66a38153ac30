// `#[action = ..]` instead of `#[action(..)]`.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action = "ping"]
    async fn ping(&self) {}
}

fn main() {}
