// An object in `#[authenticate]`: no permission could be evaluated for it.

use portcullis::{AllowAny, Object, Result, consumer};

struct Token(u32);

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self, token: Object<Token>) -> Result<Option<()>> {
        Ok((token.0 > 0).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
