// A missing `;` in a method body: the compiler reports it, and the block reports nothing.

use portcullis::{AllowAny, consumer, websocket};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn sum(&self) -> u32 {
        let one = 1
        let two = 2;
        one + two
    }

    #[action]
    async fn ping(&self, #[serde(rename = "n")] number: u32) -> u32 {
        number
    }
}

fn main() {
    let _ = websocket(Chat);
}
