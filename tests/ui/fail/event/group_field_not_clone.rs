// A field that a leaf takes is cloned.

use portcullis::{AllowAny, Event, Group, Result, Rule, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Said;

struct InRoom(RoomId);

impl Rule<Chat> for InRoom {
    async fn holds(&self, _: &Chat, _: &Scope<()>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(_: &Said) -> u8 {
        1
    }
}

#[derive(PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct RoomId(u32);

#[derive(PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = "InRoom({0})", publish = members, events(Said))]
struct Room(RoomId);

impl Clone for Room {
    fn clone(&self) -> Room {
        Room(RoomId(self.0.0))
    }
}

fn main() {}
