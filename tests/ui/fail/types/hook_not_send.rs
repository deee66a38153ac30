// The future of `#[connect]` is not `Send`.

use portcullis::{AllowAny, consumer};
use std::rc::Rc;

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self) {
        let counted = Rc::new(3);
        std::future::ready(()).await;
        drop(counted);
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
