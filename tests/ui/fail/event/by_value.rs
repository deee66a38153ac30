// All members see the same one.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: Sent) -> u32 {
        5
    }
}

fn main() {}
