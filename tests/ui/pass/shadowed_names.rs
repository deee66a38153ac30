//! A user's names never meet generated ones: not the prelude's, not the locals', not the alias's.
#![allow(dead_code)]

use portcullis::{AllowAny, Context, consumer};

struct Option;
struct Result;
struct Box;
struct String;
struct Box2;
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

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self, __handler: u8, __call: u8, __admitted: u8, __reply: u8, __gate: u8, __p0: u8) -> u8 {
        __handler + __call + __admitted + __reply + __gate + __p0
    }

    #[action]
    fn own(&self, __rt: u8, __arguments: u8, self_: ::std::option::Option<u8>) -> ::std::result::Result<u8, Failed> {
        let _ = (Some as u8, None as u8, Ok as u8, Err as u8);
        ::std::result::Result::Ok(__rt + __arguments + self_.unwrap_or(0))
    }

    // Methods of the block with the names of generated ones.
    fn admit(&self) {}
    fn descend(&self) {}
    fn node(&self) {}
    fn action(&self) {}
    fn enter(&self) {}
    fn connected(&self) {}

    #[action]
    fn may_connect(&self, cx: &Context<'_, ()>) {
        self.admit();
        self.descend();
        self.node();
        self.action();
        self.enter();
        self.connected();
        let _ = cx;
    }
}

struct Failed;

impl From<Failed> for portcullis::Error {
    fn from(_: Failed) -> Self {
        portcullis::Error::denied()
    }
}

fn main() {}
