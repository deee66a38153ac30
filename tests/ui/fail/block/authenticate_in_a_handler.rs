// Who is connected is for the consumer to say.

use portcullis::{AllowAny, Result, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
