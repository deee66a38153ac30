// An extractor of axum, written as in a handler of axum.

use axum::extract::State;
use portcullis::{AllowAny, consumer};

struct Chat;
struct Pool;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self, State(pool): State<Pool>) {
        let _ = pool;
    }
}

fn main() {}
