// A key that does not exist. The key is underlined, and the keys that exist are listed.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, users = Member)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
