// A mistake in a consumer and one in a group are reported without follow-up errors.

use portcullis::{AllowAny, Context, Event, Group, Result, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn send(&self, cx: &Context<'_, ()>, room: u32) -> Result<()> {
        cx.publish(RoomGroup { room }, Sent).await
    }

    #[event]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny(room), publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
