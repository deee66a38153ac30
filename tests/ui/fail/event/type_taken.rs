// Two events of one type: both places are shown, the later first.

use portcullis::{AllowAny, DenyAll, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = DenyAll)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn resent(&self, _: &Sent) -> u32 {
        6
    }
}

fn main() {}
