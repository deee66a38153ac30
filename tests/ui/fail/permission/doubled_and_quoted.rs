// `&&` in a string: the string is underlined and quoted, and the message names the right spelling.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "IsAuthenticated && Banned")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
