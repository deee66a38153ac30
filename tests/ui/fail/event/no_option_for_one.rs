// Made for each one, it can leave somebody out.

use portcullis::{AllowAny, Scope, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent, _: &Scope<()>) -> u32 {
        5
    }
}

fn main() {}
