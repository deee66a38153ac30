// Two `#[authenticate]` methods in one block.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[authenticate]
    async fn again(&self) -> Result<Option<()>> {
        Ok(None)
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
