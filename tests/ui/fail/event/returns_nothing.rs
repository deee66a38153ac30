// An `#[event]` method without a return type.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) {}
}

fn main() {}
