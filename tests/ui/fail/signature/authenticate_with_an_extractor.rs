// Nothing is made of the context for it.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, #[extract] token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
