// `#[action]` outside of a `#[consumer]` or `#[handler]` block.

use portcullis::action;

struct Chat;

impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
