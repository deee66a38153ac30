// `#[action]` and `#[event]` on one method.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    #[event(permission = AllowAny)]
    fn sent(&self) -> u32 {
        5
    }
}

fn main() {}
