//! What a crate may forbid, so that nothing generated may allow it. The derives of serde set the bound: they allow
//! `unused_qualifications` and the like themselves.
#![forbid(unsafe_code, deprecated, unused_imports, unused_variables, unused_mut, dead_code)]

use portcullis::{AllowAny, Context, IsAuthenticated, Result, consumer, handler};

struct Chat {
    rooms: Rooms,
}

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn send(&self, cx: &Context<'_, ()>, text: String) -> Result<String> {
        cx.require_user().map(|()| text)
    }

    #[route("rooms/{room}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

struct Rooms;

#[handler]
impl Rooms {
    #[action(permission = AllowAny)]
    fn count(&self, #[path] room: u64) -> u64 {
        room
    }
}

fn main() {
    drop(portcullis::websocket(Chat { rooms: Rooms }));
}
