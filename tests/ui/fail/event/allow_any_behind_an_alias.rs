// `AllowAny` under another name inside of the expression of an event.

use portcullis::{AllowAny as Open, Event, IsAuthenticated, consumer};

#[derive(Event)]
struct Said;
struct Chat;

#[consumer(user = ())]
impl Chat {
    #[event(permission = Open | IsAuthenticated)]
    fn said(_event: &Said) -> &str {
        ""
    }
}

fn main() {}
