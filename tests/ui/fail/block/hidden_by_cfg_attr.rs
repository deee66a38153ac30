// An action behind `cfg_attr` cannot be seen. The message says what to write.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[cfg_attr(debug_assertions, action)]
    async fn ping(&self) {}
}

fn main() {}
