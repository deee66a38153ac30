// `#[authenticate]` in a `#[handler]` block: only a consumer authenticates connections.

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
