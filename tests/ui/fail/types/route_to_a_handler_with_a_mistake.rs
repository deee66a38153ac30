// A handler block with an error is still a handler: the route to it reports no second error.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Office);
struct Office;

#[consumer]
impl Chat {
    #[route("office/")]
    fn office(&self) -> &Office {
        &self.0
    }
}

#[handler]
impl Office {
    #[action]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn pong(&self) {}
}

fn main() {}
