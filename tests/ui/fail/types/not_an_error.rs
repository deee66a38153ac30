// The error of an action does not convert into `portcullis::Error`.

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
