// A type that `#[authenticate]` cannot read from the message: one error, at the type.

use portcullis::{AllowAny, Result, consumer};

struct Token(u32);

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, token: Token) -> Result<Option<()>> {
        Ok((token.0 > 0).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
