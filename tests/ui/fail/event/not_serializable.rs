// The payload of an event does not implement `Serialize`.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;
struct View;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> View {
        View
    }
}

fn main() {}
