// Publishing to a group an event that its `events(..)` does not list.

use portcullis::{AllowAny, Context, Event, Group, Result, consumer};

struct Edited;
#[derive(Event)]
struct Typed;
struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn typed(&self, _: &Typed) -> u32 {
        6
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent, Typed))]
struct RoomGroup {
    room: u32,
}

#[consumer]
impl Edited {
    #[action(permission = AllowAny)]
    async fn edit(&self, cx: &Context<'_, ()>, room: u32) -> Result<()> {
        cx.publish(RoomGroup { room }, Edited).await
    }
}

fn main() {}
