// A reply inside of a `Result` that does not implement `Serialize`.

use portcullis::{AllowAny, Result, handler};

struct Rooms;
struct Sent;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self) -> Result<Sent> {
        Ok(Sent)
    }
}

fn main() {}
