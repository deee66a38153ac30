// `#[disconnect]` takes no parameter other than the `Scope`.

use portcullis::{IsAuthenticated, Scope, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[disconnect]
    async fn bye(&self, scope: &Scope<()>, why: u8) {
        let _ = (scope, why);
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
