// Two `#[handler]` blocks for one type. The name of the trait states the rule.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn write(&self) {}
}

fn main() {}
