// The same inside a `Result`.

use portcullis::{IsAuthenticated, Result, handler};

struct Rooms;
struct Sent;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self) -> Result<Sent> {
        Ok(Sent)
    }
}

fn main() {}
