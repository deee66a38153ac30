// An action of a handler without a permission: the parent's permission is not inherited implicitly.

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
