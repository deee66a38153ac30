//! An action that awaits, called by the benchmark's load.

use axum::Router;
use portcullis::{AllowAny, Str, consumer, handler};

use crate::world::{Sent, World};

struct Waiting(Rooms);

#[consumer(user = ())]
impl Waiting {
    #[route("rooms/{room_id}/", permission = AllowAny)]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

struct Rooms(std::sync::Arc<World>);

#[handler(user = (), permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send_message(&self, text: Str<'_>) -> Sent {
        let _ = text;
        tokio::task::yield_now().await;
        self.0.send()
    }
}

pub(crate) fn app() -> Router {
    let endpoint = portcullis::websocket(Waiting(Rooms(World::new())));
    Router::new().route("/ws", endpoint.into_route())
}
