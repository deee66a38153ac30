// `#[disconnect]` without `#[consumer]` around it.

use portcullis::disconnect;

struct Chat;

impl Chat {
    #[disconnect]
    async fn hook(&self) {}
}

fn main() {}
