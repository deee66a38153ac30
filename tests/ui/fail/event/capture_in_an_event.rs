// An event has no route, so its permission cannot name a capture.

use portcullis::{Event, Result, Rule, Scope, consumer};

struct Chat;
#[derive(Event)]
struct Said;

struct InRoom(u32);

impl Rule<Chat> for InRoom {
    async fn holds(&self, _: &Chat, _: &Scope<()>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer]
impl Chat {
    #[event(permission = InRoom({room_id}))]
    fn said(_: &Said) -> u8 {
        1
    }
}

fn main() {}
