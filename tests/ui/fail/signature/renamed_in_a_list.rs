// The list form of a serde rename gives an argument the name of an envelope key.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn send(&self, #[serde(rename(serialize = "kind", deserialize = "action"))] kind: u8) {
        let _ = kind;
    }
}

fn main() {}
