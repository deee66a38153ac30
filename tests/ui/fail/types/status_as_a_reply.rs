// A status alone as a reply.

use portcullis::{AllowAny, StatusCode, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) -> StatusCode {
        StatusCode::OK
    }
}

fn main() {}
