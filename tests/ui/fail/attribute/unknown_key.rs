// An unknown key. The key is underlined, and the valid keys are listed.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, users = Member)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
