// No route leads to a consumer's own actions, so there are no captures.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn read(&self, #[path] room_id: u64) {
        let _ = room_id;
    }
}

fn main() {}
