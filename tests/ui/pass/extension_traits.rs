//! Blanket extension traits and types named like primitives do not affect generated code.
#![allow(dead_code, non_camel_case_types)]

use portcullis::{ConnectContext, Context, FromContext, Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer, handler};

trait Everything: Sized {
    fn gate(self, _: u8) {}
    fn next(self, _: u8) {}
    fn tell(self, _: u8) {}
    fn finish(self, _: u8) {}
    fn finish_connect(self, _: u8) {}
    fn finish_connect_strictly(self, _: u8) {}
    fn context(self, _: u8) {}
    fn whole_context(self, _: u8) {}
    fn as_context(self, _: u8) {}
    fn enter(self, _: u8) {}
    fn into_reply(self, _: u8) {}
    fn map(self, _: u8) {}
    fn take(self, _: u8) {}
}

impl<T> Everything for T {}

struct usize;
struct u16;
struct A0;
struct A1;

struct Open;

impl<H: Handler> Permission<H> for Open {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[derive(serde::Deserialize)]
struct Input(u8);

fn input<'de, D: serde::Deserializer<'de>>(from: D) -> ::std::result::Result<A1, D::Error> {
    <Input as serde::Deserialize>::deserialize(from).map(|_| A1)
}

impl<H: Handler> FromContext<H> for A0 {
    async fn from_context(_: &H, _: &Context<'_, H::User>) -> Result<Self> {
        Ok(A0)
    }
}

struct Chat {
    rooms: Rooms,
}

#[consumer(user = (), permission = Open, connect = "Open | IsAuthenticated")]
impl Chat {
    #[connect]
    async fn greet(&self, _: &ConnectContext<'_, ()>) {}

    #[action(permission = IsAuthenticated)]
    async fn ping(&self, first: u8, #[serde(deserialize_with = "input")] second: A1) -> Result<u8> {
        let _ = second;
        Ok(first)
    }

    #[action]
    fn pong(&self, _cx: &Context<'_, ()>, #[extract] found: A0) {
        let _ = found;
    }

    #[route("rooms/{room}/", permission = Open)]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

struct Rooms;

#[handler(permission = inherited)]
impl Rooms {
    #[action]
    fn count(&self, #[path] room: u64) -> u64 {
        room
    }
}

fn main() {}
