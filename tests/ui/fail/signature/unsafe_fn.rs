// An `unsafe fn` as an action: clients cannot uphold its safety contract.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async unsafe fn ping(&self) {}
}

fn main() {}
