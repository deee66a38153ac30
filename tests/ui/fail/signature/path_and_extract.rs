// `#[path]` and `#[extract]` on one parameter, which has one source.

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
