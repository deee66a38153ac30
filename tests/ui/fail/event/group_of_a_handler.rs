// `consumer` names a handler: only connections of a consumer can join groups.

use portcullis::{AllowAny, Event, Group, IsAuthenticated, consumer, handler};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

struct Rooms;

#[handler]
impl Rooms {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Rooms, permission = IsAuthenticated, publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
