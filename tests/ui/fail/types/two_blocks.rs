// Two blocks of one type: the name in the last error says what is wrong.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn write(&self) {}
}

fn main() {}
