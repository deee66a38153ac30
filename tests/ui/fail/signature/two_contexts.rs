// Two context parameters.

use portcullis::{AllowAny, Context, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, cx: &Context<'_, ()>, more: &Context<'_, ()>) {
        let _ = (cx, more);
    }
}

fn main() {}
