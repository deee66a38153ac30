// `#[disconnect]` takes no parameter other than the context.

use portcullis::{AllowAny, Disconnect, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[disconnect]
    async fn bye(&self, cx: &Disconnect<'_, ()>, why: u8) {
        let _ = (cx, why);
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
