// An `async` `#[event]` method: delivery does not wait.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    async fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
