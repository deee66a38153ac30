// `&mut self`: all connections share the handler. The message suggests a `Mutex` or an atomic.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&mut self) {}
}

fn main() {}
