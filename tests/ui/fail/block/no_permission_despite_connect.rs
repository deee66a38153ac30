// What the door asks is not what messages are asked.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(connect = IsAuthenticated)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
