// `in_order` on an action whose type is no stream.

use portcullis::{AllowAny, Result, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(in_order)]
    async fn count(&self, prefix: &str) -> Result<usize> {
        Ok(prefix.len())
    }
}

fn main() {}
