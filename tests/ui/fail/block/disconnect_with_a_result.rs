// `#[disconnect]` cannot return a value, because the connection is already closed.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[disconnect]
    async fn bye(&self) -> portcullis::Result<()> {
        Ok(())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
