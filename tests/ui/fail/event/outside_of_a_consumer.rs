// `#[event]` outside of a `#[consumer]` block.

use portcullis::event;

struct Chat;
struct Sent;

impl Chat {
    #[event]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
