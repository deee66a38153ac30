// The same key given twice. The second is underlined.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
