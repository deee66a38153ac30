// `#[disconnect]` outside of a `#[consumer]` block.

use portcullis::disconnect;

struct Chat;

impl Chat {
    #[disconnect]
    async fn hook(&self) {}
}

fn main() {}
