// A statement that is being typed: the compiler reports it, and the block reports nothing.

use portcullis::{AllowAny, Context, consumer, websocket};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn sum(&self, first: u32) -> u32 {
        let second = ;
        let _ = first;
        5
    }

    #[action]
    async fn ping(&self, cx: &Context<'_, ()>, #[serde(rename = "n")] number: u32) -> u32 {
        drop(cx.user());
        number
    }

    #[action]
    async fn pong(&self) {}
}

fn main() {
    let _ = websocket(Chat);
}
