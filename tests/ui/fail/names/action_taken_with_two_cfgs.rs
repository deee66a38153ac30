// Both are there after all: what `cfg` leaves has two actions of one name.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[cfg(not(feature = "one"))]
    #[action]
    async fn ping(&self) {}

    #[cfg(not(feature = "other"))]
    #[action(name = "ping")]
    async fn pong(&self) {}
}

fn main() {}
