// Nothing leaves by silence, whatever the block asks of messages.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Sent;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[event]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
