// An event type that borrows: events outlive the call that publishes them.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent<'a>(&'a str);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent<'_>) -> u32 {
        5
    }
}

fn main() {}
