// The name of a group instead of a value of its type, in a publication.

use portcullis::{AllowAny, Context, Event, Result, consumer};

struct Chat;
#[derive(Event)]
struct Said;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.publish("room_5", Said).await
    }

    #[event(permission = AllowAny)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
