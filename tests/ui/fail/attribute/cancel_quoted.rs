// The value of `cancel` in quotes.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(cancel = "drop")]
    async fn ping(&self) {}
}

fn main() {}
