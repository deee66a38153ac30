// The context must be borrowed.

use portcullis::{Context, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, cx: Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
