// The path of the runtime crate is no path.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, crate = "not a path")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
