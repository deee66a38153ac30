// A macro instead of a permission.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = perm!(Staff))]
    async fn show(&self) {}
}

fn main() {}
