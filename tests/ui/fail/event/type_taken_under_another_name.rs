// The same, which only the compiler can see.

use portcullis::{AllowAny, DenyAll, consumer};

struct Chat;
struct Sent;
type Again = Sent;

#[consumer]
impl Chat {
    #[event(permission = DenyAll)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn resent(&self, _: &Again) -> u32 {
        6
    }
}

fn main() {}
