// The error of an action does not convert into `portcullis::Error`.

use portcullis::{AllowAny, handler};

struct Rooms;
struct Full;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self) -> Result<u32, Full> {
        Err(Full)
    }
}

fn main() {}
