// `#[action]` without a block attribute around it. The message says what is missing.

use portcullis::action;

struct Chat;

impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
