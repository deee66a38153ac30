// No client keeps the promises of an `unsafe fn`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async unsafe fn ping(&self) {}
}

fn main() {}
