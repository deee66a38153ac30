// A type that does not implement `Permission`: one error, at the literal, with the types that do.

use portcullis::consumer;

struct Chat;
struct Owner;

#[consumer(permission = "Owner")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
