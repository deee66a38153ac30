//! The runtime crate under another name, written as a path and as a string.

extern crate portcullis as gate;

use gate::{AllowAny, Context};

struct Chat(Rooms);
struct Rooms;

#[gate::consumer(crate = ::gate, permission = AllowAny)]
impl Chat {
    #[action]
    async fn echo(&self, _cx: &Context<'_, ()>, text: String) -> String {
        text
    }

    #[gate::route("rooms/{room}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[gate::handler(crate = "gate", permission = AllowAny)]
impl Rooms {
    #[gate::action]
    fn name(&self, #[path] room: String) -> String {
        room
    }
}

fn main() {}
