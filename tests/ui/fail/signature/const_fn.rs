// A `const fn` as an action: clients call actions at run time.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    const fn ping(&self) {}
}

fn main() {}
