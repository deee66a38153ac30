// `inherited` combined with another permission.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = "inherited & IsAuthenticated")]
impl Rooms {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
