//! A crate with strict `forbid` and `deny` lints: generated code triggers none of them.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![deny(missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications, rust_2018_idioms)]
#![deny(unused_lifetimes, unused_results, single_use_lifetimes, trivial_casts, trivial_numeric_casts)]

use std::borrow::Cow;

use portcullis::{AllowAny, ConnectContext, Context, Created, Disconnect, Event, FromContext, GrantKey, Group, Handler, IsAuthenticated, Load, NoContent, Object, ObjectKey, ObjectPermission, Permission, PermissionContext, Result, StatusCode, User, consumer, handler};

portcullis::permissions! {
    pub chat {
        read = "Reads",
        #[deprecated]
        listen = "Listens",
        #[doc(hidden)]
        write = "Writes",
    }
}

/// The user type.
#[derive(Debug)]
pub struct Member(u64);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// The consumer.
#[derive(Debug)]
pub struct Chat {
    answer: &'static str,
    rooms: Rooms,
}

/// An event.
#[derive(Debug, Event)]
pub struct Moved {
    room: u64,
}

/// The group that carries the event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = IsAuthenticated, events(Moved), public_name = "rooms/{room}")]
pub struct RoomGroup {
    room: u64,
}

/// A handler behind a route.
#[derive(Debug)]
pub struct Rooms {
    owner: u64,
}

struct HasRole(&'static str);

impl<H: Handler<User = Member>> Permission<H> for HasRole {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some() && self.0 == "admin")
    }
}

/// An object.
#[derive(Debug)]
pub struct Note(u64);

impl<H: Handler<User = Member>> Load<H> for Note {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, Member>, key: &u64) -> Result<Option<Self>> {
        Ok(Some(Self(*key)))
    }
}

impl GrantKey for Note {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("note", self.0)
    }
}

struct Author;

impl<H: Handler<User = Member>> ObjectPermission<Note, H> for Author {
    async fn has_object_permission(&self, _: &H, cx: &PermissionContext<'_, Member>, note: &Note) -> Result<bool> {
        Ok(cx.require_user()?.0 == note.0)
    }
}

#[derive(Clone, Copy)]
struct Caller(u64);

impl<H: Handler<User = Member>> FromContext<H> for Caller {
    async fn from_context(_: &H, cx: &Context<'_, Member>) -> Result<Self> {
        Ok(Self(cx.require_user()?.0))
    }
}

#[consumer(user = Member, permission = "IsAuthenticated | HasRole(\"admin\")", connect = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.insert(self.rooms.owner);
        std::future::ready(Ok(())).await
    }

    #[disconnect]
    fn disconnect(&self, cx: &Disconnect<'_, Member>) {
        let _ = (cx.user(), &self.rooms);
    }

    #[authenticate]
    async fn renew(&self, token: &str, #[serde(default)] days: Option<u8>) -> Result<Option<Member>> {
        let known = std::future::ready(token == self.answer).await;
        Ok(known.then(|| Member(days.map_or(0, u64::from))))
    }

    #[event(permission = AllowAny, key = room)]
    fn moved(&self, event: &Moved) -> u64 {
        event.room + self.rooms.owner
    }

    /// Returns the stored answer.
    #[action(blocking, detached)]
    fn ping(&self) -> &'static str {
        self.answer
    }

    #[action(permission = crate::HasRole("admin"), deny_unknown)]
    async fn create(&self, cx: &Context<'_, Member>, name: &str, r#type: Option<u8>) -> Result<Created<String>> {
        let known = std::future::ready(cx.user().is_some()).await;
        Ok(Created(format!("{name}{type:?}{known}{}", self.answer)))
    }

    #[action(permission = Author(first) & (chat.read(rest) | !Author(r#type)) & AllowAny(last))]
    async fn file(
        &self,
        first: Object<Note>,
        #[object("all[].id")] rest: Vec<Object<Note>>,
        r#type: Object<Note>,
        last: Option<Object<Note>>,
    ) -> usize {
        let last = last.map_or(0, |note| note.0);
        usize::try_from(first.0 + r#type.0 + last).unwrap_or(rest.len())
    }

    #[action(permission = portcullis::DenyAll)]
    fn retired(&self, note: Object<Note>, number: u64) -> bool {
        note.0 == number && self.answer.is_empty()
    }

    #[route("rooms/{room_id:[0-9]+}/", permission = "HasRole(\"admin\")")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[handler(user = Member, permission = inherited)]
impl Rooms {
    #[deprecated]
    #[action(name = "delete-room", blocking)]
    fn delete(&self, #[path] room_id: u64, #[extract] caller: Caller) -> Result<NoContent> {
        if room_id == caller.0 && caller.0 == self.owner { Ok(NoContent) } else { Err(portcullis::Error::denied()) }
    }

    #[action(permission = "Author(note) | chat.write")]
    fn show(&self, #[path("room_id")] note: Object<Note>) -> u64 {
        note.into_inner().0 + self.owner
    }

    #[action]
    fn count(&self) -> (u64, StatusCode) {
        (self.owner, StatusCode::ACCEPTED)
    }
}

fn main() {}
