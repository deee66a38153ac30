// An equals sign without a value after it. The message shows an example value.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission =)]
    async fn ping(&self) {}
}

fn main() {}
