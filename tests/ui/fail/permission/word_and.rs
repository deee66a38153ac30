// The word `and` instead of `&`.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "IsAuthenticated and Banned")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
