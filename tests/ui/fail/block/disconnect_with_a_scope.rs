// `#[disconnect]` takes its context, of which the scope is a part.

use portcullis::{AllowAny, Scope, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[disconnect]
    async fn bye(&self, scope: &Scope<()>) {
        let _ = scope;
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
