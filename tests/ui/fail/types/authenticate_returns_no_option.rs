// `#[authenticate]` returns a `Result` without an `Option` of the user. The error is at the return type.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self) -> Result<()> {
        Ok(())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
