// At the door there is no message yet. The message gives the right type.

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
