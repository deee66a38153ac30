// `&mut self`: all connections share the handler. The message suggests a `Mutex` or an atomic.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&mut self) {}
}

fn main() {}
