// A handler that borrows. The message says what to hold instead.

use portcullis::handler;

struct Rooms<'a>(&'a str);

#[handler(permission = portcullis::IsAuthenticated)]
impl<'a> Rooms<'a> {
    #[action]
    async fn name(&self) -> String {
        self.0.to_owned()
    }
}

fn main() {}
