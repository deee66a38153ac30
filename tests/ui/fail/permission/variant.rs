// A variant of an enum instead of a permission that takes it.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = Staff & Role::Admin)]
    async fn show(&self) {}
}

fn main() {}
