// Nobody chooses the type of a message.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping<T: Send>(&self, value: T) {
        let _ = value;
    }
}

fn main() {}
