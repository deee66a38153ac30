// A key without a value. The message shows an example value.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission)]
    async fn ping(&self) {}
}

fn main() {}
