// An `#[event]` method that returns a `Result`: no client would receive the error.

use portcullis::{AllowAny, Event, Result, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> Result<u32> {
        Ok(5)
    }
}

fn main() {}
