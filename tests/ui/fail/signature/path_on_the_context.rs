// `#[path]` on the context, which is not a capture.

use portcullis::{Context, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, #[path] cx: &Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
