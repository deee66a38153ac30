// An action with a foreign ABI.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    extern "C" fn ping(&self) {}
}

fn main() {}
