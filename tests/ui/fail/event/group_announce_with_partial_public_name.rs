// `announce` in a group whose public name has one of its two fields.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), public_name = "rooms/{0}", presence = AllowAny, announce)]
struct Room(u32, u32);

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
