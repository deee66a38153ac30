//! Shows:   nested routes, captures, a query, an extractor, and one handler under two policies.
//! Run:     `cargo run --example routes` (it connects to itself; no client is needed)
//! Look at: a line that it prints, then the `#[route]` methods on its path, then the action that answered.

use std::future::Future;

use portcullis::testing::connect;
use portcullis::{AllowAny, Context, FromContext, Handler, Permission, PermissionContext, Result, consumer, handler};
use serde::Deserialize;

struct Site {
    rooms: Rooms<Standard>,
    archive: Rooms<ReadOnly>,
}
#[consumer]
impl Site {
    /// A segment that the whole regular expression matches.
    #[route("rooms/{room:[0-9]+}/")]
    fn rooms(&self) -> &Rooms<Standard> {
        &self.rooms
    }

    /// Any one segment.
    #[route("archive/{room}/")]
    fn archive(&self) -> &Rooms<ReadOnly> {
        &self.archive
    }
}

/// The decisions in `Rooms` that an application can replace; the bodies are the defaults.
trait Policy: Send + Sync + 'static {
    fn may_write(&self, room: u32) -> impl Future<Output = bool> + Send {
        async move { room < 100 }
    }
}

struct Standard;
impl Policy for Standard {}
struct ReadOnly;
impl Policy for ReadOnly {
    async fn may_write(&self, _room: u32) -> bool {
        false
    }
}

/// Calls the policy of the `Rooms` that it guards.
struct MayWrite(u32);
impl<P: Policy> Permission<Rooms<P>> for MayWrite {
    async fn has_permission(&self, rooms: &Rooms<P>, _: &PermissionContext<'_, ()>) -> Result<bool> {
        Ok(rooms.0.may_write(self.0).await)
    }
}

struct Rooms<P>(P);
#[handler(permission = AllowAny)]
impl<P: Policy> Rooms<P> {
    #[action(permission = MayWrite({room}))]
    async fn write(&self, #[path] room: u32) -> String {
        format!("wrote in room {room}")
    }

    #[action]
    async fn list(&self, #[path] room: u32, #[extract] page: Page) -> String {
        format!("page {} of room {room}", page.page)
    }

    /// The rest of the route, including slashes.
    #[route("files/{*path}")]
    fn files(&self) -> &Files {
        &Files
    }
}

/// An extractor: a parameter that is made from the context, here from the query of the message's route.
#[derive(Deserialize)]
struct Page {
    page: u32,
}
impl<H: Handler> FromContext<H> for Page {
    async fn from_context(_: &H, cx: &Context<'_, H::User>) -> Result<Self> {
        cx.query()
    }
}

struct Files;
#[handler(permission = inherited)]
impl Files {
    /// `room` is a capture of the outer route; the capture `path` has another name here.
    #[action]
    async fn open(&self, #[path] room: u32, #[path("path")] file: String) -> String {
        format!("file `{file}` of room {room}")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let site = portcullis::websocket(Site { rooms: Rooms(Standard), archive: Rooms(ReadOnly) });
    let mut client = connect(&site).open().await?;
    println!("{:25}{:8}{:30}why", "route", "action", "answer");
    for (route, action, why) in [
        ("rooms/7/", "write", "the standard policy permits writing here"),
        ("rooms/700/", "write", "but not here"),
        ("archive/7/", "write", "`ReadOnly` permits no writing, in the same handler"),
        ("rooms/7/?page=2", "list", "an extractor reads the query"),
        ("rooms/7/?page=two", "list", "and refuses a query that does not fit its type"),
        ("archive/7/files/a/b.txt", "open", "`room` comes from the outer route, `path` takes the rest"),
        ("rooms/seven/files/a", "open", "`[0-9]+` does not match"),
        ("archive/seven/files/a", "open", "`{room}` matches, but is not a `u32`"),
        ("rooms/7", "list", "a slash at the end counts"),
        ("rooms/7/", "open", "`open` is an action of `Files`, not of `Rooms`"),
    ] {
        let reply = client.call(action).route(route).await;
        let answer = reply.data().as_str().unwrap_or_else(|| reply.code());
        println!("{route:25}{action:8}{} {answer:26}{why}", reply.status());
    }
    print!("\n{}", portcullis::audit()?);
    Ok(())
}
