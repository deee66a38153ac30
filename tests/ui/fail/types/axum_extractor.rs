// An extractor of axum as the type of a parameter.

use axum::extract::State;
use portcullis::{AllowAny, consumer};

struct Chat;
struct Pool;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self, pool: State<Pool>) {
        let _ = pool;
    }
}

fn main() {}
