// An equals sign with nothing behind it. The message shows a value.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission =)]
    async fn ping(&self) {}
}

fn main() {}
