//! Groups with a history, whose functions return several types of errors and futures.

#![deny(warnings, clippy::all, clippy::pedantic)]

use std::time::SystemTime;

use portcullis::{AllowAny, Error, Event, Group, Result, Scope, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = members,
    events(Said),
    history(events = 100, age = "10m", since = Room::member_since)
)]
struct Room(u32);

impl Room {
    async fn member_since(&self, chat: &Chat, scope: &Scope<()>) -> Result<SystemTime> {
        std::future::ready(()).await;
        scope.user().and_then(|()| chat.0.get(self.0 as usize)).copied().ok_or_else(Error::denied)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = members,
    events(Said),
    history(since = Self::since, events = 10_000, age = "24h")
)]
struct Hall;

#[derive(Debug)]
struct NoSuchHall;

impl From<NoSuchHall> for Error {
    fn from(_: NoSuchHall) -> Error {
        Error::denied()
    }
}

impl Hall {
    fn since(&self, _: &Chat, _: &Scope<()>) -> impl Future<Output = Result<SystemTime, NoSuchHall>> + Send + use<> {
        std::future::ready(Err(NoSuchHall))
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = members,
    events(Said),
    history(events = 1, age = "1500ms", since = "AllowAny")
)]
struct Lobby;

struct Chat(Vec<SystemTime>);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {
    let _ = (Room(5), Hall, Lobby, Chat(Vec::new()));
}
