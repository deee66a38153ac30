//! Values of streams do not hold up later messages: what is sent between them, what bounds them, and when the side effects
//! of their actions take effect.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, DenyAll, Endpoint, Error, Event, Group, IntoReply, Limits, Reply, Result,
    Streamed, consumer,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::common::Padding;
use crate::common::clients::{self, connect_member};
use crate::common::limits::without_heartbeat;

#[derive(Event)]
struct Said(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Almanac, permission = AllowAny, publish = members, events(Said))]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Almanac, permission = AllowAny, publish = members, events(Said))]
struct Room;

struct State {
    /// The permits for the values of each stream, by its number.
    permits: Vec<Semaphore>,
    produced: AtomicUsize,
}

struct Almanac(Arc<State>);

type Values<T> = Streamed<Pin<Box<dyn Stream<Item = T> + Send>>>;

/// Passes a stream on and does not say so.
struct Undeclared(Values<u32>);

struct UndeclaredMarker;

impl IntoReply<UndeclaredMarker> for Undeclared {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        self.0.into_reply(reply)
    }
}

/// Passes a stream on.
struct Declared(Values<u32>);

struct DeclaredMarker;

impl IntoReply<DeclaredMarker> for Declared {
    const STREAMS: bool = true;

    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        self.0.into_reply(reply)
    }
}

impl Almanac {
    /// Sends a number per permit, from 1 to `to`, and fails at `fails_at`.
    fn values(&self, n: usize, to: u32, fails_at: Option<u32>) -> Values<Result<u32>> {
        let state = self.0.clone();
        let values = stream::iter(1..=to).then(move |value| {
            let state = state.clone();
            async move {
                state.permits[n].acquire().await.unwrap().forget();
                if fails_at == Some(value) { Err(Error::conflict("No more.")) } else { Ok(value) }
            }
        });
        Streamed(values.boxed())
    }
}

#[consumer]
impl Almanac {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> u32 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>, number: u32) -> Result<()> {
        cx.publish(Lobby, Said(number)).await
    }

    #[action(permission = AllowAny)]
    async fn count(&self, n: usize, to: u32) -> Values<Result<u32>> {
        self.values(n, to, None)
    }

    #[action(permission = AllowAny, in_order)]
    async fn count_in_order(&self, n: usize, to: u32) -> Values<Result<u32>> {
        self.values(n, to, None)
    }

    #[action(permission = AllowAny, detached)]
    async fn count_detached(&self, n: usize, to: u32) -> Values<Result<u32>> {
        self.values(n, to, None)
    }

    #[action(permission = DenyAll)]
    async fn secret(&self) -> Values<Result<u32>> {
        self.values(0, 1, None)
    }

    /// Publishes to the lobby and moves from it to the room.
    #[action(permission = AllowAny)]
    async fn move_to_room(&self, cx: &Context<'_, ()>, n: usize, fails_at: Option<u32>) -> Result<Values<Result<u32>>> {
        cx.publish(Lobby, Said(1)).await?;
        cx.join(Room).await?;
        cx.publish(Room, Said(2)).await?;
        cx.leave(Lobby)?;
        Ok(self.values(n, 2, fails_at))
    }

    #[action(permission = AllowAny)]
    async fn undeclared(&self) -> Undeclared {
        Undeclared(Streamed(stream::iter([1]).boxed()))
    }

    #[action(permission = AllowAny)]
    async fn declared(&self) -> Declared {
        Declared(Streamed(stream::iter([1]).boxed()))
    }

    /// Sends 64 KiB without end.
    #[action(permission = AllowAny)]
    async fn pages(&self) -> Values<Padding> {
        let state = self.0.clone();
        let pages = stream::repeat(()).map(move |()| {
            state.produced.fetch_add(1, Ordering::SeqCst);
            Padding(64 * 1024)
        });
        Streamed(pages.boxed())
    }
}

fn almanac_with(limits: Limits) -> (Arc<State>, Endpoint<Almanac>) {
    let permits = (0..8).map(|_| Semaphore::new(0)).collect();
    let state = Arc::new(State { permits, produced: AtomicUsize::new(0) });
    (state.clone(), portcullis::websocket(Almanac(state)).limits(limits))
}

fn almanac() -> (Arc<State>, Endpoint<Almanac>) {
    almanac_with(without_heartbeat())
}

async fn open(almanac: &Endpoint<Almanac>) -> Client {
    let mut client = connect(almanac).open().await.unwrap();
    assert_eq!(client.call("ping").await.data(), "pong");
    client
}

fn count(action: &str, n: usize, to: u32) -> String {
    format!(r#"{{"action":"{action}","n":{n},"to":{to},"request_id":{n}}}"#)
}

const PING: &str = r#"{"action":"ping","request_id":"ping"}"#;

/// Returns the request id and the data of the next reply, or `event` and the data of the next event.
async fn next(client: &mut Client) -> (Value, Value) {
    let frame = client.reply().await.value().clone();
    let id = if frame["event"].is_null() { frame["request_id"].clone() } else { json!("event") };
    (id, frame["data"].clone())
}

#[tokio::test(start_paused = true)]
async fn messages_are_answered_while_a_stream_waits_for_its_values() {
    let (state, almanac) = almanac();
    let mut client = open(&almanac).await;
    client.send(count("count", 1, 3));
    client.send(PING);
    assert_eq!(next(&mut client).await, (json!("ping"), json!("pong")));
    for value in 1..=3 {
        client.expect_silence().await;
        state.permits[1].add_permits(1);
        assert_eq!(next(&mut client).await, (json!(1), json!(value)));
        if value == 3 {
            assert_eq!(client.reply().await.value()["last"], true);
        }
        client.send(PING);
        assert_eq!(next(&mut client).await, (json!("ping"), json!("pong")));
    }
}

#[tokio::test(start_paused = true)]
async fn values_of_several_streams_interleave_and_each_keeps_its_order() {
    let (state, almanac) = almanac();
    let mut client = open(&almanac).await;
    for (n, action) in [(1, "count"), (2, "count_detached"), (3, "count")] {
        client.send(count(action, n, 2));
    }
    for (n, value) in [(3, 1), (1, 1), (2, 1), (2, 2)] {
        state.permits[n].add_permits(1);
        assert_eq!(next(&mut client).await, (json!(n), json!(value)));
        if value == 2 {
            assert_eq!(client.reply().await.value()["last"], true);
        }
    }
    for n in [1, 3] {
        state.permits[n].add_permits(1);
    }
    let mut rest = Vec::new();
    for _ in 0..4 {
        let reply = client.reply().await.value().clone();
        rest.push((reply["request_id"].as_u64().unwrap(), reply["last"].as_bool().unwrap()));
    }
    for n in [1, 3] {
        let of_stream: Vec<_> = rest.iter().filter(|(id, _)| *id == n).map(|(_, is_last)| *is_last).collect();
        assert_eq!(of_stream, [false, true], "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_of_an_action_in_order_hold_up_later_messages() {
    let (state, almanac) = almanac();
    let mut client = open(&almanac).await;
    client.send(count("count_in_order", 1, 2));
    client.send(PING);
    for value in 1..=2 {
        client.expect_silence().await;
        state.permits[1].add_permits(1);
        assert_eq!(next(&mut client).await, (json!(1), json!(value)));
    }
    assert_eq!(client.reply().await.value()["last"], true);
    assert_eq!(next(&mut client).await, (json!("ping"), json!("pong")));
}

#[tokio::test(start_paused = true)]
async fn stream_over_the_limit_is_answered_with_429() {
    let (state, almanac) = almanac_with(Limits { max_streams: 2, ..without_heartbeat() });
    let mut client = open(&almanac).await;
    for n in [1, 2] {
        client.send(count("count", n, 1));
    }
    for action in ["count", "count_in_order", "count_detached", "declared"] {
        client.send(count(action, 3, 1));
        assert_eq!(
            client.reply().await.value(),
            &json!({
                "errors": [{
                    "code": "too_many_streams",
                    "detail": "Too many streams of this connection are open at the same time.",
                }],
                "data": null, "action": action, "route": "", "status": 429, "request_id": 3,
            })
        );
    }
    assert_eq!(client.call("secret").await.status(), 403, "a refusal does not depend on the limit");
    assert_eq!(client.call("ping").await.status(), 200);
    state.permits[2].add_permits(1);
    assert_eq!(next(&mut client).await, (json!(2), json!(1)));
    assert_eq!(client.reply().await.value()["last"], true);
    client.send(count("count", 3, 1));
    state.permits[3].add_permits(1);
    assert_eq!(next(&mut client).await, (json!(3), json!(1)), "a slot is free after the last value");
}

#[tokio::test(start_paused = true)]
async fn refused_stream_takes_no_slot() {
    let (state, almanac) = almanac_with(Limits { max_streams: 1, ..without_heartbeat() });
    let mut client = open(&almanac).await;
    for _ in 0..3 {
        assert_eq!(client.call("secret").await.status(), 403);
        assert_eq!(client.call("count").with("n", "x").await.status(), 400);
    }
    client.send(count("count", 1, 1));
    state.permits[1].add_permits(1);
    assert_eq!(next(&mut client).await, (json!(1), json!(1)));
}

#[tokio::test(start_paused = true)]
async fn side_effects_of_a_streaming_action_surround_its_first_value() {
    let (state, almanac) = almanac();
    let (mut client, mut other) = (open(&almanac).await, open(&almanac).await);
    client.send(r#"{"action":"move_to_room","n":1,"request_id":1}"#);
    client.send(PING);
    assert_eq!(next(&mut client).await, (json!("ping"), json!("pong")));
    almanac.publisher().publish(&Lobby, Said(10));
    almanac.publisher().publish(&Room, Said(11));
    assert_eq!(next(&mut client).await, (json!("event"), json!(10)), "no side effect before the first value");
    assert_eq!(next(&mut other).await, (json!("event"), json!(10)));
    state.permits[1].add_permits(1);
    assert_eq!(next(&mut client).await, (json!(1), json!(1)));
    assert_eq!(next(&mut client).await, (json!("event"), json!(2)), "it has left the lobby");
    assert_eq!(next(&mut other).await, (json!("event"), json!(1)));
    almanac.publisher().publish(&Lobby, Said(12));
    almanac.publisher().publish(&Room, Said(13));
    assert_eq!(next(&mut client).await, (json!("event"), json!(13)));
    state.permits[1].add_permits(1);
    assert_eq!(next(&mut client).await, (json!(1), json!(2)));
    assert_eq!(client.reply().await.value()["last"], true);
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn side_effects_are_discarded_only_if_the_first_value_is_an_error() {
    for fails_at in [1, 2] {
        let (state, almanac) = almanac();
        let mut client = open(&almanac).await;
        client.send(format!(r#"{{"action":"move_to_room","n":1,"fails_at":{fails_at},"request_id":1}}"#));
        state.permits[1].add_permits(2);
        if fails_at == 2 {
            assert_eq!(next(&mut client).await, (json!(1), json!(1)));
        }
        let mut frames = Vec::new();
        let count = if fails_at == 1 { 1 } else { 2 };
        for _ in 0..count {
            frames.push(next(&mut client).await);
        }
        assert!(frames.contains(&(json!(1), Value::Null)), "{frames:?}");
        almanac.publisher().publish(&Lobby, Said(10));
        almanac.publisher().publish(&Room, Said(11));
        let expected = if fails_at == 1 { 10 } else { 11 };
        assert_eq!(next(&mut client).await, (json!("event"), json!(expected)), "{fails_at}");
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn reply_type_that_passes_a_stream_on_has_to_say_so() {
    let (_, almanac) = almanac();
    let mut client = open(&almanac).await;
    let reply = client.call("undeclared").await;
    assert_eq!((reply.status(), reply.value().get("last")), (500, None));
    client.send(r#"{"action":"declared"}"#);
    assert_eq!(client.reply().await.data(), 1);
    assert_eq!(client.reply().await.value()["last"], true);
}

#[tokio::test]
async fn slow_reader_stalls_its_streams_and_no_other_connection() {
    let (state, almanac) = almanac();
    let address = clients::serve(almanac).await;
    let (mut reading, mut stalled) = (connect_member(&address).await, connect_member(&address).await);
    for _ in 0..3 {
        stalled.send(Message::text(r#"{"action":"pages"}"#)).await.unwrap();
    }
    // The buffers of the socket hold some values; then each stream has one more.
    let mut produced = 0;
    while state.produced.load(Ordering::SeqCst) == 0 || produced != state.produced.load(Ordering::SeqCst) {
        produced = state.produced.load(Ordering::SeqCst);
        for number in 0..20 {
            reading.send(Message::text(format!(r#"{{"action":"say","number":{number}}}"#))).await.unwrap();
            for _ in 0..2 {
                let frame = timeout(Duration::from_mins(1), reading.next()).await.expect("not delayed");
                assert!(frame.unwrap().unwrap().is_text());
            }
        }
    }
    assert!(produced < 1000, "{produced}");
    while state.produced.load(Ordering::SeqCst) < produced + 100 {
        timeout(Duration::from_mins(1), stalled.next()).await.unwrap().unwrap().unwrap();
    }
}
