// `#[connect]` outside of a `#[consumer]` block.

use portcullis::connect;

struct Chat;

impl Chat {
    #[connect]
    async fn hook(&self) {}
}

fn main() {}
