//! The frames and the limits of the chapter "Wire protocol" are those of the server.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Created, DenyAll, Error, Event, Group, Limits, NoContent, Result, Streamed, User, consumer,
    handler,
};
use serde::Serialize;
use tokio::sync::Notify;

const CHAPTER: &str = include_str!("../../runtime/src/docs/wire_protocol.md");

struct Guest(u32);

impl User for Guest {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Switchboard, permission = AllowAny, publish = members, events(Said), public_name = "lobby")]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Switchboard, permission = AllowAny, publish = members, events(Said), public_name = "rooms/{0}",
    presence = AllowAny, announce
)]
struct Room(u32);

#[derive(Event)]
struct Said(String);

#[derive(Serialize)]
struct Sent {
    id: u32,
}

/// Has a signal that a client enters a room.
struct Switchboard(SwitchboardRooms);
struct SwitchboardRooms(Arc<Notify>);

#[consumer(user = Guest)]
impl Switchboard {
    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<Guest>> {
        Ok(token.strip_prefix("member-").and_then(|id| id.parse().ok()).map(Guest))
    }

    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &SwitchboardRooms {
        &self.0
    }

    #[action(permission = AllowAny)]
    async fn touch(&self) {}

    #[action(permission = AllowAny)]
    async fn clear(&self) -> NoContent {
        NoContent
    }

    #[action(permission = DenyAll)]
    async fn ban(&self) {}

    #[action(permission = AllowAny)]
    async fn upload(&self) -> Result<()> {
        Err(Error::too_many_requests(Duration::from_secs(30)))
    }

    #[action(permission = AllowAny)]
    async fn backup(&self) -> Result<()> {
        Err(Error::internal("no space"))
    }

    #[action(permission = AllowAny)]
    async fn count(&self, to: u32) -> Streamed<impl futures_util::Stream<Item = u32> + use<>> {
        Streamed(stream::iter(1..=to))
    }

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn search(&self, text: String) -> Vec<String> {
        std::future::pending::<()>().await;
        vec![text]
    }

    #[action(permission = AllowAny)]
    async fn watch(&self, cx: &Context<'_, Guest>) -> Result<()> {
        cx.subscribe(Lobby).await
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, Guest>, text: String) -> Result<()> {
        cx.publish(Lobby, Said(text)).await
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Guest>, room: u32) -> Result<()> {
        self.0.0.notify_one();
        cx.join(Room(room)).await
    }

    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }
}

#[handler(user = Guest, permission = AllowAny)]
impl SwitchboardRooms {
    #[action]
    async fn send(&self, text: String) -> Created<Sent> {
        let _ = text;
        Created(Sent { id: 1 })
    }
}

/// Sends the messages of a block, and compares what the server sends with the block. Faults have random ids.
async fn replay(block: &str, client: &mut Client) {
    for line in block.lines() {
        if let Some(message) = line.strip_prefix("-> ") {
            client.send(message);
        } else {
            let expected = line.strip_prefix("<- ").unwrap_or_else(|| panic!("neither `->` nor `<-`: {line}"));
            let frame = client.reply().await;
            let fault = frame.value()["errors"][0]["id"].as_str();
            let text = fault.map_or_else(|| frame.text().to_owned(), |id| frame.text().replace(id, "…"));
            assert_eq!(text, expected);
        }
    }
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_the_chapter_are_those_of_the_server() {
    let has_entered = Arc::<Notify>::default();
    let endpoint = portcullis::websocket(Switchboard(SwitchboardRooms(has_entered.clone()))).allow_cancel();
    let mut member = connect(&endpoint).user(Guest(7)).open().await.unwrap();
    // User 7 follows the first client that enters a room.
    let following = tokio::spawn(async move {
        has_entered.notified().await;
        assert_eq!(member.call("touch").await.status(), 200);
        assert_eq!(member.call("enter").with("room", 5).await.status(), 200);
        member
    });
    let blocks: Vec<_> = CHAPTER.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 5, "only {} blocks were found", blocks.len());
    for block in blocks {
        replay(block, &mut connect(&endpoint).open().await.unwrap()).await;
    }
    following.await.unwrap();
}

/// Returns how a value of the chapter is written by `Debug`: a size in bytes, a time in seconds, or a number.
fn debug_form(value: &str) -> String {
    let scaled = |number: &str, factor: usize| (number.parse::<usize>().unwrap() * factor).to_string();
    match value.split_once(' ') {
        Some((number, "KiB")) => scaled(number, 1024),
        Some((number, "MiB")) => scaled(number, 1024 * 1024),
        Some((number, "s")) => format!("{number}s"),
        Some((_, unit)) => panic!("unknown unit {unit}"),
        None if value == "off" => "None".to_owned(),
        None => value.to_owned(),
    }
}

#[test]
fn limits_of_the_chapter_are_the_defaults() {
    let limits = format!("{:?}", Limits::default());
    let fields: Vec<_> = limits.trim_start_matches("Limits { ").trim_end_matches(" }").split(", ").collect();
    let rows: Vec<_> = CHAPTER.lines().filter_map(|line| line.strip_prefix("| [`Limits::")).collect();
    assert!(rows.len() > 10, "only {} limits were found", rows.len());
    for row in rows {
        let (name, rest) = row.split_once("`] | ").unwrap();
        let field = format!("{name}: {}", debug_form(rest.split(" |").next().unwrap()));
        assert!(fields.contains(&&*field), "{field} is not in {limits}");
    }
}
