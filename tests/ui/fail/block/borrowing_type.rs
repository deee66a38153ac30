// A handler type with a lifetime parameter. The message suggests owned values or an `Arc`.

use portcullis::handler;

struct Rooms<'a>(&'a str);

#[handler(user = (), permission = portcullis::IsAuthenticated)]
impl<'a> Rooms<'a> {
    #[action]
    async fn name(&self) -> String {
        self.0.to_owned()
    }
}

fn main() {}
