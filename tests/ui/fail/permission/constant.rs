// A constant of a permission type instead of its constructor.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = HasRole::ADMIN)]
    async fn show(&self) {}
}

fn main() {}
