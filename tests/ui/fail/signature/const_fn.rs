// A `const fn` as an action: clients call actions at run time.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    const fn ping(&self) {}
}

fn main() {}
