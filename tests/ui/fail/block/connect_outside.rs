// `#[connect]` and `#[disconnect]` without a block attribute around them.

use portcullis::{connect, disconnect};

struct Chat;

impl Chat {
    #[connect]
    async fn hello(&self) {}

    #[disconnect]
    async fn bye(&self) {}
}

fn main() {}
