// The longer form of a new name reaches the envelope's keys just as well.

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
