// An event without `#[derive(Event)]`, which is published.

use portcullis::{AllowAny, Context, Group, Result, consumer};

struct Chat;
struct Sent(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct Room(u32);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> &str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn send(&self, cx: &Context<'_, ()>, room: u32, text: String) -> Result<()> {
        cx.publish(Room(room), Sent(text)).await
    }
}

fn main() {}
