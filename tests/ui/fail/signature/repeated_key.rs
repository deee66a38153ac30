// Two parameters with the same key in the message.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn send(&self, text: String, #[serde(alias = "text")] body: Option<String>) {
        let _ = (text, body);
    }
}

fn main() {}
