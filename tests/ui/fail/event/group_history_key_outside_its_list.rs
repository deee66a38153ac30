// A key of the `history` list beside it.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = members,
    events(Said),
    age = "10m"
)]
struct Room(u32);

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
