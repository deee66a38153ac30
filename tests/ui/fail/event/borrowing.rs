// It outlives whoever published it.

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
