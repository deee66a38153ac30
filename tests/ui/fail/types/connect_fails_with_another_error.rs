// The error of `#[connect]` does not convert into `portcullis::Error`.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self) -> Result<(), String> {
        Err(String::new())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
