// `#[disconnect]` cannot return a value, because the connection is already closed.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[disconnect]
    async fn bye(&self) -> portcullis::Result<()> {
        Ok(())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
