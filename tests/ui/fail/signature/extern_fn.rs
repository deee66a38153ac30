// An action with a foreign ABI.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    extern "C" fn ping(&self) {}
}

fn main() {}
