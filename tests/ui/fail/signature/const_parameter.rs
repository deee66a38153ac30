// An action with a const parameter, which a client cannot choose.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping<const N: usize>(&self) {}
}

fn main() {}
