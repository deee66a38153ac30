// `permissions`, as other frameworks call it. The message gives the key of this one.

use portcullis::consumer;

struct Chat;

#[consumer(permissions = "AllowAny")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
