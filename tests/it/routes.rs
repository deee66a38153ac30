//! Routes: nesting, captures, regular expressions, tails, queries, and unknown routes.

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Error, FromContext, Handler, Permission, PermissionContext, Result, consumer, handler,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Default)]
struct Site {
    rooms: Rooms,
    files: Files,
}

#[derive(Default)]
struct Rooms {
    messages: Messages,
}

#[derive(Default)]
struct Messages;

#[derive(Default)]
struct Files;

#[consumer]
impl Site {
    #[action(permission = AllowAny)]
    async fn here(&self, cx: &Context<'_, ()>) -> String {
        cx.route().to_owned()
    }

    #[route("rooms/{room_id:[0-9]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[route("files/{*path}")]
    fn files(&self) -> &Files {
        &self.files
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn show(&self, #[path] room_id: u8) -> u8 {
        room_id
    }

    #[route("messages/{message_id}", permission = "EvenRoom({room_id}, {message_id})")]
    fn messages(&self) -> &Messages {
        &self.messages
    }
}

/// The permission of a mount reads its own captures and those of outer routes.
struct EvenRoom(u8, String);

impl<H: Handler> Permission<H> for EvenRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0.is_multiple_of(2) && self.1 != "secret")
    }
}

#[derive(Deserialize)]
struct Page {
    page: u32,
}

struct Twice(u8);

impl FromContext<Messages> for Twice {
    async fn from_context(_: &Messages, cx: &Context<'_, ()>) -> Result<Self> {
        let room: u8 = cx.capture("room_id")?;
        room.checked_mul(2).map(Twice).ok_or_else(|| Error::conflict("The room is too large."))
    }
}

#[handler(permission = inherited)]
impl Messages {
    #[action]
    async fn read(&self, #[path] message_id: String, #[path("room_id")] room: u8, #[extract] twice: Twice) -> Value {
        json!([message_id, room, twice.0])
    }

    #[action]
    async fn list(&self, cx: &Context<'_, ()>) -> Result<u32> {
        Ok(cx.query::<Page>()?.page)
    }
}

#[handler(permission = AllowAny)]
impl Files {
    #[action]
    async fn open(&self, #[path] path: String) -> String {
        path
    }
}

async fn site() -> Client {
    connect(&portcullis::websocket(Site::default())).open().await.unwrap()
}

#[tokio::test]
async fn captures_of_outer_routes_are_visible_to_inner_handlers() {
    let mut client = site().await;
    assert_eq!(client.call("show").route("rooms/7/").await.data(), 7);
    let read = client.call("read").route("rooms/8/messages/abc").await;
    assert_eq!(read.data(), &json!(["abc", 8, 16]), "{read:?}");
    assert_eq!(client.call("open").route("files/a/b//c/").await.data(), "a/b//c/");
    assert_eq!(client.call("here").await.data(), "");
}

#[tokio::test]
async fn mount_permission_is_evaluated_with_its_captures() {
    let mut client = site().await;
    assert_eq!(client.call("read").route("rooms/7/messages/abc").await.status(), 403);
    assert_eq!(client.call("read").route("rooms/8/messages/secret").await.status(), 403);
    assert_eq!(client.call("bogus").route("rooms/7/messages/abc").await.status(), 403);
    assert_eq!(client.call("bogus").route("rooms/8/messages/abc").await.status(), 405);
}

#[tokio::test]
async fn route_that_matches_partially_is_not_found() {
    let mut client = site().await;
    for route in
        ["rooms", "rooms/", "rooms/7", "rooms/x/", "/rooms/7/", "rooms/7//", "rooms/7/messages/", "files/", "bogus"]
    {
        assert_eq!(client.call("show").route(route).await.status(), 404, "{route}");
    }
}

#[tokio::test]
async fn capture_that_does_not_parse_is_not_found() {
    let mut client = site().await;
    let reply = client.call("show").route("rooms/300/").await;
    assert_eq!((reply.status(), reply.code()), (404, "not_found"));
    assert_eq!(client.call("bogus").route("rooms/300/").await.status(), 405);
}

#[tokio::test]
async fn query_is_removed_from_the_route_and_readable() {
    let mut client = site().await;
    let reply = client.call("list").route("rooms/8/messages/x?page=4").await;
    assert_eq!((reply.status(), reply.data()), (200, &json!(4)), "{reply:?}");
    assert_eq!(reply.value()["route"], "rooms/8/messages/x?page=4");
    for route in ["rooms/8/messages/x", "rooms/8/messages/x?page=many"] {
        let reply = client.call("list").route(route).await;
        assert_eq!((reply.status(), reply.code()), (400, "invalid_query"));
    }
}

#[tokio::test]
async fn route_is_not_percent_decoded() {
    let mut client = site().await;
    assert_eq!(client.call("open").route("files/a%2Fb").await.data(), "a%2Fb");
    client.send(r#"{"action":"show","route":"rooms\/\u0037/"}"#);
    let reply = client.reply().await;
    assert_eq!(reply.data(), 7);
    assert!(reply.text().contains(r#""route":"rooms\/\u0037/""#), "{reply:?}");
}

#[tokio::test]
async fn extractor_error_is_the_reply() {
    let mut client = site().await;
    let reply = client.call("read").route("rooms/200/messages/x").await;
    assert_eq!((reply.status(), reply.code()), (409, "conflict"));
}

struct Oversized(Middle);
struct Leaf;

#[handler]
impl Leaf {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

struct Middle(Leaf);

#[handler]
impl Middle {
    #[route(r"x/{id:(?:\w{60}){60}}/")]
    fn leaf(&self) -> &Leaf {
        &self.0
    }
}

#[consumer]
impl Oversized {
    #[route("middle/")]
    fn middle(&self) -> &Middle {
        &self.0
    }
}

#[test]
#[should_panic(expected = r"a regular expression of the route `x/{id:(?:\w{60}){60}}/` of `Oversized` is too large")]
fn oversized_regular_expression_panics_at_start_up() {
    let _ = portcullis::websocket(Oversized(Middle(Leaf)));
}
