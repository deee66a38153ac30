// A local event that is published to a user, who may be connected to another machine.

use portcullis::{AllowAny, Context, Event, Result, consumer};

struct Chat;

#[derive(Event)]
#[event(local)]
struct Sent(u32);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> u32 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn send(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.publish_to_user::<Chat, _>("7", Sent(5))
    }
}

fn main() {}
