// The same in a handler: what stands above its mount is not in effect by silence.

use portcullis::{Context, handler};

struct Rooms;

#[handler(user = ())]
impl Rooms {
    #[action]
    async fn read(&self, cx: &Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
