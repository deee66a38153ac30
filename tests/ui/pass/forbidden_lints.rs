//! Lints that a crate may forbid, so that generated code must not contain `allow` for them. The serde derives set the
//! limit: they allow `unused_qualifications` and similar lints themselves.
#![forbid(unsafe_code, deprecated, unused_imports, unused_variables, unused_mut, dead_code)]

use portcullis::{AllowAny, Context, Event, GrantKey, Group, Handler, IsAuthenticated, Load, Object, ObjectKey, ObjectPermission, PermissionContext, Result, consumer, handler};

portcullis::permissions! {
    chat { read = "Reads" }
}

struct Note(u64);

impl<H: Handler> Load<H> for Note {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u64) -> Result<Option<Self>> {
        Ok(Some(Self(*key)))
    }
}

impl GrantKey for Note {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("note", self.0)
    }
}

struct Odd;

impl<H: Handler> ObjectPermission<Note, H> for Odd {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> Result<bool> {
        Ok(note.0 % 2 == 1)
    }
}

struct Chat {
    rooms: Rooms,
}

#[consumer(user = (), permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn send(&self, cx: &Context<'_, ()>, text: String) -> Result<String> {
        cx.require_user().map(|()| text)
    }

    #[action(permission = chat.read(note) & !Odd(other) & AllowAny(last))]
    async fn file(&self, note: Object<Note>, other: Object<Note>, #[object("a[].b")] last: Vec<Object<Note>>) -> u64 {
        note.0 + other.0 + last.iter().map(|note| note.0).sum::<u64>()
    }

    #[authenticate]
    async fn renew(&self, cx: &Context<'_, ()>, token: String) -> Result<Option<()>> {
        Ok(cx.user().filter(|()| !token.is_empty()).copied())
    }

    #[event(permission = AllowAny, key = room)]
    fn moved(&self, event: &Moved) -> u64 {
        event.room
    }

    #[route("rooms/{room}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[derive(Event)]
struct Moved {
    room: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = AllowAny, events(Moved), public_name = "rooms/{0}")]
struct Room(u64);

struct Rooms;

#[handler]
impl Rooms {
    #[action(permission = AllowAny)]
    fn count(&self, #[path] room: u64) -> u64 {
        room
    }
}

fn main() {
    drop(portcullis::websocket(Chat { rooms: Rooms }));
    drop((Room(1), Moved { room: 1 }));
}
