// A handler used as a consumer: a handler is reached through a route.

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
