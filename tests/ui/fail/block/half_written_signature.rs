// A parameter without its type: the attributes of the methods report nothing.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn sum(&self, one:) -> u32 {
        1
    }

    #[action]
    async fn ping(&self, #[serde(rename = "n")] number: u32) -> u32 {
        number
    }
}

fn main() {}
