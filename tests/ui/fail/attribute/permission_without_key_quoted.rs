// A quoted permission without its key.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action("IsAuthenticated & Staff")]
    async fn ping(&self) {}
}

fn main() {}
