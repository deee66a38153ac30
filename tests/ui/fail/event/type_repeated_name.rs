// Two events of a consumer that other machines could not tell apart.

use portcullis::{AllowAny, Event, consumer};

mod rooms {
    use portcullis::Event;

    #[derive(Event)]
    pub(crate) struct Sent(u32);
}

#[derive(Event)]
struct Sent(u32);

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(_: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn sent_to_room(_: &rooms::Sent) -> u32 {
        5
    }
}

fn main() {}
