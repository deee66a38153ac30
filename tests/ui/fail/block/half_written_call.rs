// A method call that is being typed: the compiler reports it, and the block reports nothing.

use portcullis::{AllowAny, Context, consumer, websocket};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn sum(&self, cx: &Context<'_, ()>) {
        cx.
    }

    #[action]
    async fn pong(&self) {}
}

fn main() {
    let _ = websocket(Chat);
}
