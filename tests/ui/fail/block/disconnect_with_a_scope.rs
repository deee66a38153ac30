// `#[disconnect]` takes its context, of which the scope is a part.

use portcullis::{IsAuthenticated, Scope, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[disconnect]
    async fn bye(&self, scope: &Scope<()>) {
        let _ = scope;
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
