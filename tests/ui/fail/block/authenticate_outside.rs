// `#[authenticate]` outside of a `#[consumer]` block.

use portcullis::authenticate;

struct Chat;

impl Chat {
    #[authenticate]
    async fn renew(&self) {}
}

fn main() {}
