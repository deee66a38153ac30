// An action whose method is named `authenticate`, the name of `#[authenticate]`.

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
