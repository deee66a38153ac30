// The error of `#[authenticate]` does not convert into `portcullis::Error`. The error is at the return type.

use portcullis::{AllowAny, consumer};

struct Expired;
struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self) -> Result<Option<()>, Expired> {
        Err(Expired)
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
