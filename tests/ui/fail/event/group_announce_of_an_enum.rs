// `announce` in an enum, whose values have one public name.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), public_name = "place", presence = AllowAny, announce)]
enum Place {
    Lobby,
    Hall,
}

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
