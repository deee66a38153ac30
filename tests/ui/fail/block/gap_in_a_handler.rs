// `#[gap]` in a `#[handler]` block: only the consumer is notified of lost events.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[gap]
    async fn on_gap(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
