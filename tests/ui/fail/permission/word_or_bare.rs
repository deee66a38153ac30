// The word `or` instead of `|`, unquoted. The word is underlined.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = IsAuthenticated or Banned)]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
