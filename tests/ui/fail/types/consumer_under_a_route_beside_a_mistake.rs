// A block with a mistake is still a handler: nothing else is told about the route that leads to it.

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
