// `#[gap]` outside of a `#[consumer]` block.

use portcullis::gap;

struct Chat;

impl Chat {
    #[gap]
    async fn hook(&self) {}
}

fn main() {}
