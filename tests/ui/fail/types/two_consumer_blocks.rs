// Two `#[consumer]` blocks for one type.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn read(&self) {}

    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn write(&self) {}
}

fn main() {}
