// A value of `rename_all` that is no rule.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, rename_all = "camel_case")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
