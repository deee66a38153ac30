// An `async` `#[event]` method: delivery does not wait.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    async fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
