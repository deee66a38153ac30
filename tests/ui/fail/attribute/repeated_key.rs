// A key given twice: which one counts? The second is underlined.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
