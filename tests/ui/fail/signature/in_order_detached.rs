// `in_order` on an action that is `detached`.

use futures_util::stream::{Empty, empty};
use portcullis::{AllowAny, Streamed, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(in_order, detached)]
    async fn posts(&self) -> Streamed<Empty<u32>> {
        Streamed(empty())
    }
}

fn main() {}
