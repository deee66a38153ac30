// A type alias for `Result` is treated as a `Result`: its error must convert, even if it implements `Serialize`.

use portcullis::{AllowAny, consumer};

#[derive(serde::Serialize)]
struct Oops;

type Outcome = Result<u8, Oops>;

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) -> Outcome {
        Err(Oops)
    }
}

fn main() {}
