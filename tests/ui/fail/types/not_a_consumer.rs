// A handler where a consumer is wanted: it is reached through a route.

use portcullis::{Consumer, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn is<C: Consumer>() {}

fn main() {
    is::<Rooms>();
}
