// Two keys without a comma between them. The second is underlined.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(name = "p" permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
