// `inherit` instead of `inherited`.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = inherit)]
    async fn show(&self) {}
}

fn main() {}
