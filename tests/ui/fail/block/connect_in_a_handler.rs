// Connections come to consumers only.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[connect]
    async fn hello(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
