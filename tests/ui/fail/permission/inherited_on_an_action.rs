// `inherited` is a word of handler blocks. On an action, silence means the same.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = inherited)]
    async fn ping(&self) {}
}

fn main() {}
