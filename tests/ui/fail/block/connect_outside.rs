// `#[connect]` without `#[consumer]` around it.

use portcullis::connect;

struct Chat;

impl Chat {
    #[connect]
    async fn hook(&self) {}
}

fn main() {}
