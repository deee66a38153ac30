// A handler used as a consumer: a handler is reached through a route.

use portcullis::{AllowAny, Consumer, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn is<C: Consumer>() {}

fn main() {
    is::<Rooms>();
}
