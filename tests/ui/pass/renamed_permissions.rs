//! `AllowAny` and `DenyAll` under other names are allowed where they are allowed under their own: alone.
#![allow(dead_code)]

use portcullis::{
    AllowAny, AllowAny as Open, Context, DenyAll as Closed, Event, Group, Load, Object, Result, consumer, handler,
};

#[derive(Event)]
struct Said;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = "Open", publish = Closed, events(Said))]
struct Room(u32);

struct Note;

impl Load<Chat> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Chat, _: &Context<'_, ()>, _: &u32) -> Result<Option<Note>> {
        Ok(None)
    }
}

struct Chat {
    rooms: Rooms,
}

#[consumer(permission = Open, connect = "Open")]
impl Chat {
    #[action(permission = "Closed")]
    async fn ping(&self) {}

    #[action(permission = AllowAny(note))]
    async fn read(&self, note: Object<Note>) {
        drop(note);
    }

    #[route("rooms/", permission = Open)]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[event(permission = Open)]
    fn said(_event: &Said) -> &'static str {
        ""
    }
}

struct Rooms;

#[handler]
impl Rooms {
    #[action(permission = Open)]
    async fn count(&self) {}
}

fn main() {}
