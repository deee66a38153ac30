// `#[authenticate]` takes no keys.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate(permission = AllowAny)]
    async fn renew(&self, token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
