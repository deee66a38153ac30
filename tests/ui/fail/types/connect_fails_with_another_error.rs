// The error of `#[connect]` does not convert into `portcullis::Error`.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn hello(&self) -> Result<(), String> {
        Err(String::new())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
