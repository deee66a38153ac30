// `#[event]` in a `#[handler]` block: only consumers deliver events.

use portcullis::{AllowAny, Event, handler};

struct Rooms;
#[derive(Event)]
struct Sent;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}

    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
