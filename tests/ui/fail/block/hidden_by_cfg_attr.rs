// `#[action]` inside of `cfg_attr`, which the block macro does not support.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[cfg_attr(debug_assertions, action)]
    async fn ping(&self) {}
}

fn main() {}
