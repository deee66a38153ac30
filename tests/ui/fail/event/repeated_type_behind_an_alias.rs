// Two events with the same type, one of them behind a type alias: only the type checker detects this.

use portcullis::{AllowAny, DenyAll, Event, consumer};

struct Chat;
#[derive(Event)]
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
