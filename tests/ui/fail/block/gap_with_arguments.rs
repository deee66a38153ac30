// `#[gap]` has no arguments, and its method takes one context.

use portcullis::{AllowAny, Gap, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[gap(permission = AllowAny)]
    async fn on_gap(&self, _cx: &Gap<'_, Self>, _room: u32) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
