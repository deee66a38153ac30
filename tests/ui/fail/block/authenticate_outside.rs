// `#[authenticate]` without `#[consumer]` around it.

use portcullis::authenticate;

struct Chat;

impl Chat {
    #[authenticate]
    async fn renew(&self) {}
}

fn main() {}
