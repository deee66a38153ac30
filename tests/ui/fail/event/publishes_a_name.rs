// The name of an event instead of a value of its type.

use portcullis::{AllowAny, Context, Event, Group, Result, consumer};

struct Chat;
#[derive(Event)]
struct Said;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
struct Room(u32);

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.publish(Room(5), "said").await
    }

    #[event(permission = AllowAny)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
