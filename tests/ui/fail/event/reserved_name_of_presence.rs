// An event with the name of the one by which the runtime announces a user.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Left;

#[consumer]
impl Chat {
    #[event(permission = AllowAny, name = "presence")]
    fn left(&self, _: &Left) -> u32 {
        5
    }
}

fn main() {}
