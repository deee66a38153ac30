// An `unsafe fn` as an action: clients cannot uphold its safety contract.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async unsafe fn ping(&self) {}
}

fn main() {}
