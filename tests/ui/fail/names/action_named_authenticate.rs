// An action with the name `authenticate`, which clients use to call `#[authenticate]`.

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
