// The payload of an event does not implement `Serialize`.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
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
