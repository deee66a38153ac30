// The future of an action is not `Send`. The error is at the method's name and shows the value and the `.await`.

use portcullis::{AllowAny, handler};
use std::rc::Rc;

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn count(&self) -> usize {
        let counted = Rc::new(3);
        std::future::ready(()).await;
        *counted
    }
}

fn main() {}
