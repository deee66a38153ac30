// Nobody chooses the constant of a message.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping<const N: usize>(&self) {}
}

fn main() {}
