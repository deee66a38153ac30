// `permissions` instead of `permission`. The message suggests the correct key.

use portcullis::consumer;

struct Chat;

#[consumer(permissions = "AllowAny")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
