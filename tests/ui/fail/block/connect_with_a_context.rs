// `#[connect]` takes a `ConnectContext`, not a `Context`.

use portcullis::{Context, IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn hello(&self, cx: &Context<'_, ()>) {
        let _ = cx;
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
