// An endpoint where axum expects a route.

use portcullis::{AllowAny, consumer, websocket};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/ws", websocket(Chat));
}
