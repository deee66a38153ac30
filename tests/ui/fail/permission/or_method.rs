// A method instead of `|`, in a quoted expression.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = "Staff.or(Owner)")]
    async fn show(&self) {}
}

fn main() {}
