// The future of `#[authenticate]` is not `Send`.

use portcullis::{AllowAny, Result, consumer};
use std::rc::Rc;

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self) -> Result<Option<()>> {
        let counted = Rc::new(3);
        std::future::ready(()).await;
        Ok((*counted > 3).then_some(()))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
