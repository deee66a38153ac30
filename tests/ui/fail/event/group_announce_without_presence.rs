// `announce` in a group without `presence`.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), announce)]
struct Room;

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
