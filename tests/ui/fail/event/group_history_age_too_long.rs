// An age of more than a day.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = members,
    events(Said),
    history(events = 100, age = "25h", since = AllowAny)
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
