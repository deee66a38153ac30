// The list form of a serde rename gives an argument the name of an envelope key.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn send(&self, #[serde(rename(serialize = "kind", deserialize = "action"))] kind: u8) {
        let _ = kind;
    }
}

fn main() {}
