// `burst` without `rate`.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(burst = 20)]
    async fn ping(&self) {}
}

fn main() {}
