// An error that does not convert into ours.

use portcullis::{IsAuthenticated, handler};

struct Rooms;
struct Full;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self) -> Result<u32, Full> {
        Err(Full)
    }
}

fn main() {}
