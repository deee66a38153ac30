// The status of a reply in the order that axum has.

use portcullis::{AllowAny, Result, StatusCode, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn start(&self) -> Result<(StatusCode, u32)> {
        Ok((StatusCode::ACCEPTED, 1))
    }
}

fn main() {}
