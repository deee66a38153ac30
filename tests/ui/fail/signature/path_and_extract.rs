// A parameter comes from one place.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(
        &self,
        #[path]
        #[extract]
        id: u32,
    ) {
        let _ = id;
    }
}

fn main() {}
