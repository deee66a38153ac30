// Two `#[handler]` blocks for one type. The name in the last error states the rule.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn write(&self) {}
}

fn main() {}
