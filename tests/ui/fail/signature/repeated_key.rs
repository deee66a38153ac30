// Two parameters with the same key in the message.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn send(&self, text: String, #[serde(alias = "text")] body: Option<String>) {
        let _ = (text, body);
    }
}

fn main() {}
