// An action without a permission. The message names the attributes that can set one, and `AllowAny`.

use portcullis::{Consumer, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

// The type still implements `Consumer`, so the mistake causes no further errors.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
