// `#[connect]` takes a `ConnectContext`, not a `Context`.

use portcullis::{AllowAny, Context, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self, cx: &Context<'_, ()>) {
        let _ = cx;
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
