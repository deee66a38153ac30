// Two context parameters.

use portcullis::{Context, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, cx: &Context<'_, ()>, more: &Context<'_, ()>) {
        let _ = (cx, more);
    }
}

fn main() {}
