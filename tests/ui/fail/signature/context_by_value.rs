// The context must be borrowed.

use portcullis::{AllowAny, Context, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, cx: Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
