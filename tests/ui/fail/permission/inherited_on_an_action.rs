// `inherited` on an action: it is only allowed on `#[handler]`.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = inherited)]
    async fn ping(&self) {}
}

fn main() {}
