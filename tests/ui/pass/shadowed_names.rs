//! User-defined names do not collide with generated ones: prelude names, local variables and the crate alias.
#![allow(dead_code)]

use portcullis::{AllowAny, Context, GrantKey, Group, Handler, Load, Object, ObjectKey, ObjectPermission, PermissionContext, consumer};

struct Option;
struct Result;
struct Box;
struct String;
struct Box2;
struct Vec;
struct Admitted;
struct Loading;
struct Held;
struct Objects;
struct Codename;
enum Own {
    Some,
    None,
    Ok,
    Err,
}
use Own::{Err, None, Ok, Some};

mod core {}
mod std {}
mod serde {}

mod __rt {}

struct Note(u64);

impl<H: Handler> Load<H> for Note {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u64) -> portcullis::Result<::std::option::Option<Self>> {
        ::std::result::Result::Ok(::std::option::Option::Some(Self(*key)))
    }
}

impl GrantKey for Note {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("note", self.0)
    }
}

struct Odd;

impl<H: Handler> ObjectPermission<Note, H> for Odd {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> portcullis::Result<bool> {
        ::std::result::Result::Ok(note.0 % 2 == 1)
    }
}

::portcullis::permissions! {
    core_group { Some = "Some", None = "None", ROW = "Row" }
    groups { r#fn = "Fn" }
}

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self, __handler: u8, __call: u8, __authorized: u8, __reply: u8, __evaluation: u8, __p0: u8) -> u8 {
        __handler + __call + __authorized + __reply + __evaluation + __p0
    }

    #[action]
    fn own(&self, __rt: u8, __arguments: u8, self_: ::std::option::Option<u8>) -> ::std::result::Result<u8, Failed> {
        let _ = (Some as u8, None as u8, Ok as u8, Err as u8);
        ::std::result::Result::Ok(__rt + __arguments + self_.unwrap_or(0))
    }

    #[action(permission = !Odd(__p0) & (core_group.Some(__evaluation) | core_group.ROW) & AllowAny(__leaf_evaluation))]
    fn file(
        &self,
        __p0: Object<Note>,
        __evaluation: ::std::option::Option<Object<Note>>,
        #[object("__rt[].__p0")] __leaf_evaluation: ::std::vec::Vec<Object<Note>>,
        __object: u8,
        __object_answer: u8,
    ) -> u64 {
        __p0.0 + __evaluation.map_or(0, |note| note.0) + __leaf_evaluation.iter().map(|note| note.0).sum::<u64>()
    }

    #[authenticate]
    fn authenticate(
        &self,
        __call: u8,
        __authorized: u8,
        __handler: u8,
        __output: u8,
    ) -> ::std::result::Result<::std::option::Option<()>, Failed> {
        ::std::result::Result::Ok((__call + __authorized + __handler + __output > 0).then_some(()))
    }

    #[event(permission = AllowAny, key = __event)]
    fn coalescing_hash(&self, __event: &Event) -> u8 {
        __event.__event
    }

    // Methods of the block with the same names as generated ones.
    fn authorize(&self) {}
    fn has_equal_key(&self) {}
    fn descend(&self) {}
    fn node(&self) {}
    fn action(&self) {}
    fn enter(&self) {}
    fn on_connect(&self) {}

    #[action]
    fn authorize_connect(&self, cx: &Context<'_, ()>) {
        self.authorize();
        self.descend();
        self.node();
        self.action();
        self.enter();
        self.on_connect();
        let _ = cx;
    }
}

#[derive(portcullis::Event)]
struct Event {
    __event: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Event), public_name = "{__group}{format}")]
struct Events {
    __group: u8,
    format: u8,
}

impl Events {
    fn public_name(&self) -> u8 {
        self.__group
    }
}

struct Failed;

impl From<Failed> for portcullis::Error {
    fn from(_: Failed) -> Self {
        portcullis::Error::denied()
    }
}

fn main() {}
