// `#[path]` in an action of a consumer: no route leads to it, so it has no captures.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn read(&self, #[path] room_id: u64) {
        let _ = room_id;
    }
}

fn main() {}
