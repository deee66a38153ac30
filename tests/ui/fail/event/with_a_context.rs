// An `#[event]` method takes a `Scope`, not a `Context`.

use portcullis::{AllowAny, Context, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent, cx: &Context<'_, ()>) -> u32 {
        cx.action().len() as u32
    }
}

fn main() {}
