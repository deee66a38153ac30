// A future that cannot move between threads: told at the method's name, with the value and the await.

use portcullis::{IsAuthenticated, handler};
use std::rc::Rc;

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn count(&self) -> usize {
        let counted = Rc::new(3);
        std::future::ready(()).await;
        *counted
    }
}

fn main() {}
