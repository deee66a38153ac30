// Two events with one name: both places are shown, the later first.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;
struct Edited;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny, name = "sent")]
    fn edited(&self, _: &Edited) -> u32 {
        5
    }
}

fn main() {}
