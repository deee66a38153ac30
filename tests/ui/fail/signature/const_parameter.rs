// An action with a const parameter, which a client cannot choose.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping<const N: usize>(&self) {}
}

fn main() {}
