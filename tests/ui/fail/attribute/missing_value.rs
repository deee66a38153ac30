// A key without its value. The message shows one.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission)]
    async fn ping(&self) {}
}

fn main() {}
