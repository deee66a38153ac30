// The same where the action has its name from its method.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action]
    async fn authenticate(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
