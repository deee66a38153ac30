// A `Result` under another name is one: its error must convert, even where it could be sent as data.

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
