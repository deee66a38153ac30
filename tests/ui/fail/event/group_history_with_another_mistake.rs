// A history beside another mistake: only that one is reported.

use std::time::SystemTime;

use portcullis::{AllowAny, Event, Group, Result, Scope, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny &,
    publish = members,
    events(Said),
    history(events = 100, age = "10m", since = Room::member_since)
)]
struct Room(u32);

impl Room {
    async fn member_since(&self, _: &Chat, _: &Scope<()>) -> Result<SystemTime> {
        Ok(SystemTime::now())
    }
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
