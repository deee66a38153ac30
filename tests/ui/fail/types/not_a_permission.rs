// A leaf that is no permission: one error, at the literal, with the permissions that there are.

use portcullis::consumer;

struct Chat;
struct Owner;

#[consumer(permission = "Owner")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
