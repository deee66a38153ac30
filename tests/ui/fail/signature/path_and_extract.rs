// `#[path]` and `#[extract]` on one parameter, which has one source.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
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
