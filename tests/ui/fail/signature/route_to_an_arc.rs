// A `#[route]` method that returns a reference to the `Arc` around its handler.

use std::sync::Arc;

use portcullis::{AllowAny, consumer, handler};

struct Chat(Arc<Office>);
struct Office;

#[consumer]
impl Chat {
    #[route("office/")]
    fn office(&self) -> &Arc<Office> {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Office {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
