// Clients call `#[authenticate]` by that name, whatever the method is called.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action(name = "authenticate")]
    async fn log_in(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
