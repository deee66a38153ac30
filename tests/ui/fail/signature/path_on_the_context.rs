// The context is no capture.

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
