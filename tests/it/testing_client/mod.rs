//! The in-process client: no frame is lost, `expect_silence` sees every frame, and pings are answered.

mod calls;
mod ends;

use std::fmt::Debug;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, DisconnectReason, Endpoint, Error, Event, Group, Limits, Result,
    Streamed, consumer,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Every connection is a member.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Board, permission = AllowAny, publish = members, events(Posted))]
struct Wall;

#[derive(Event)]
struct Posted(u32);

#[derive(Default)]
struct Board {
    disconnected: Arc<Notify>,
    reason: Arc<OnceLock<DisconnectReason>>,
}

#[consumer]
impl Board {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Wall).await
    }

    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, ()>) {
        let _ = self.reason.set(cx.reason());
        self.disconnected.notify_one();
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    /// Publishes an event, which follows the reply.
    #[action(permission = AllowAny)]
    async fn post(&self, cx: &Context<'_, ()>, n: u32) -> Result<()> {
        cx.publish(Wall, Posted(n)).await
    }

    /// Sends the numbers up to `to`, and fails after the number 3.
    #[action(permission = AllowAny)]
    async fn count(&self, to: u32) -> Streamed<impl Stream<Item = Result<u32>> + use<>> {
        Streamed(stream::iter(1..=to).map(|n| if n > 3 { Err(Error::conflict("No more.")) } else { Ok(n) }))
    }

    #[action(permission = AllowAny)]
    async fn forever(&self) {
        std::future::pending::<()>().await;
    }

    #[event(permission = AllowAny)]
    fn posted(&self, event: &Posted) -> u32 {
        event.0
    }
}

fn board() -> Endpoint<Board> {
    portcullis::websocket(Board::default())
}

/// Connects a client and waits until it is a member.
async fn open(board: &Endpoint<Board>) -> Client {
    let mut client = connect(board).open().await.unwrap();
    assert_eq!(client.call("ping").await.data(), "pong");
    client
}

/// Returns a client that has kept these events and no other frame.
async fn client_with_kept_events(posts: &[u32]) -> Client {
    let board = board();
    let mut client = open(&board).await;
    for &n in posts {
        board.publisher().publish(&Wall, Posted(n));
    }
    assert_eq!(client.call("ping").await.data(), "pong");
    client
}

/// Returns the panic message of the future.
async fn panic_of<T: Debug>(future: impl Future<Output = T>) -> String {
    let panic = AssertUnwindSafe(future).catch_unwind().await.expect_err("no panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast::<&str>().unwrap()).to_owned())
}

#[tokio::test(start_paused = true)]
async fn expect_silence_after_a_call_that_skipped_an_event_panics_with_the_event() {
    let mut client = client_with_kept_events(&[7]).await;
    let start = Instant::now();
    let panic = panic_of(client.expect_silence()).await;
    assert_eq!(panic, r#"expected silence, but received the message `{"event":"posted","data":7}`"#);
    assert_eq!(start.elapsed(), Duration::ZERO, "at once");
    // The event is still readable.
    assert_eq!(client.reply().await.data(), 7);
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn expect_silence_panics_with_what_comes_within_50_ms() {
    let board = board();
    let mut client = open(&board).await;
    let publisher = board.publisher();
    tokio::spawn(async move {
        sleep(Duration::from_millis(49)).await;
        publisher.publish(&Wall, Posted(1));
    });
    assert!(panic_of(client.expect_silence()).await.contains(r#""data":1"#));
    client.expect_silence().await;
}

#[tokio::test]
async fn reply_returns_kept_frames_in_order_and_then_new_ones() {
    let board = board();
    let mut client = open(&board).await;
    for n in 1..=3 {
        board.publisher().publish(&Wall, Posted(n));
    }
    assert_eq!(client.call("ping").await.data(), "pong");
    board.publisher().publish(&Wall, Posted(4));
    assert_eq!(client.call("ping").await.data(), "pong");
    board.publisher().publish(&Wall, Posted(5));
    for n in 1..=5 {
        assert_eq!(client.reply().await.data(), n);
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn call_keeps_replies_to_other_messages() {
    let mut client = open(&board()).await;
    client.send(r#"{"action":"ping","request_id":"mine"}"#);
    client.send("no JSON");
    assert_eq!(client.call("ping").await.value()["request_id"], 2);
    assert_eq!(client.reply().await.value()["request_id"], "mine");
    assert_eq!(client.reply().await.status(), 400);
    client.expect_silence().await;
}

#[tokio::test]
async fn call_does_not_take_a_kept_frame_with_its_request_id_for_its_reply() {
    let mut client = open(&board()).await;
    client.send(r#"{"action":"ping","request_id":3}"#);
    assert_eq!(client.call("ping").await.value()["request_id"], 2);
    assert_eq!(client.call("nothing").await.status(), 405);
    assert_eq!(client.reply().await.value()["request_id"], 3);
}

#[tokio::test]
async fn call_that_is_cancelled_loses_no_frame() {
    let board = board();
    let mut client = open(&board).await;
    board.publisher().publish(&Wall, Posted(1));
    tokio::select! {
        biased;
        reply = client.call("forever") => panic!("{reply:?}"),
        () = sleep(Duration::from_millis(1)) => {}
    }
    assert_eq!(client.reply().await.data(), 1);
}

#[tokio::test(start_paused = true)]
async fn call_without_a_reply_panics_after_five_minutes_though_events_keep_coming() {
    let board = board().limits(Limits { action_timeout: Duration::from_hours(1), ..Limits::default() });
    let mut client = open(&board).await;
    let publisher = board.publisher();
    let posting = tokio::spawn(async move {
        loop {
            publisher.publish(&Wall, Posted(1));
            sleep(Duration::from_secs(7)).await;
        }
    });
    let start = Instant::now();
    assert!(panic_of(async { client.call("forever").await }).await.contains("no frame arrived in time"));
    assert_eq!(start.elapsed(), Duration::from_mins(5));
    posting.abort();
}

#[tokio::test]
async fn event_returns_events_in_order_and_keeps_the_replies_between_them() {
    let mut client = open(&board()).await;
    for n in 1..=2 {
        client.send(format!(r#"{{"action":"post","n":{n},"request_id":{n}}}"#));
    }
    assert_eq!(client.event().await.data(), 1);
    assert_eq!(client.event().await.text(), r#"{"event":"posted","data":2}"#);
    for n in 1..=2 {
        let reply = client.reply().await;
        assert_eq!((reply.status(), &reply.value()["request_id"]), (200, &n.into()));
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn event_returns_kept_events_first() {
    let mut client = client_with_kept_events(&[1, 2]).await;
    client.send(r#"{"action":"post","n":3}"#);
    for n in 1..=3 {
        assert_eq!(client.event().await.data(), n);
    }
    assert_eq!(client.reply().await.status(), 200);
}

#[tokio::test]
async fn closed_with_a_kept_message_before_the_close_panics_with_it() {
    let board = portcullis::websocket(Board::default()).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let mut client = open(&board).await;
    board.publisher().publish(&Wall, Posted(7));
    assert_eq!(client.call("ping").await.data(), "pong");
    client.send("x".repeat(101));
    let panic = panic_of(client.closed()).await;
    assert_eq!(panic, r#"expected a close, but received the message `{"event":"posted","data":7}`"#);
    assert_eq!(client.closed().await, 1009);
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn expect_silence_panics_with_a_close() {
    let board = portcullis::websocket(Board::default()).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let mut client = open(&board).await;
    client.send("x".repeat(101));
    assert_eq!(panic_of(client.expect_silence()).await, "expected silence, but received a close with 1009");
}

#[tokio::test(start_paused = true)]
async fn call_reply_and_event_panic_with_the_code_of_a_close() {
    let board = portcullis::websocket(Board::default()).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let (mut first, mut second, mut third) = (open(&board).await, open(&board).await, open(&board).await);
    for client in [&mut first, &mut second, &mut third] {
        client.send("x".repeat(101));
    }
    let call = async { first.call("ping").await };
    let panics = [panic_of(call).await, panic_of(second.reply()).await, panic_of(third.event()).await];
    assert_eq!(panics, ["the connection was closed with 1009"; 3]);
}

#[tokio::test(start_paused = true)]
async fn client_that_is_not_awaited_answers_pings() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(25),
        send_timeout: Duration::from_secs(25),
        ..Limits::default()
    };
    let mut client = open(&board().limits(limits)).await;
    sleep(Duration::from_secs(101)).await;
    assert_eq!(client.call("ping").await.data(), "pong");
    assert_eq!(client.pings(), 10);
}

#[tokio::test(start_paused = true)]
async fn client_answers_pings_while_an_action_runs() {
    let limits = Limits { action_timeout: Duration::from_mins(10), ..Limits::default() };
    let mut client = open(&board().limits(limits)).await;
    client.send(r#"{"action":"forever","request_id":1}"#);
    sleep(Duration::from_mins(9)).await;
    assert_eq!(client.reply().await.status(), 408);
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_answer_pings_is_closed_as_idle() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(25),
        send_timeout: Duration::MAX,
        ..Limits::default()
    };
    let start = Instant::now();
    let mut client = connect(&board().limits(limits)).answer_pings(false).open().await.unwrap();
    assert_eq!((client.closed().await, client.pings()), (4508, 2));
    assert_eq!(start.elapsed(), Duration::from_secs(25));
}

#[tokio::test(start_paused = true)]
async fn expect_silence_ignores_pings() {
    let limits = Limits { ping_interval: Duration::from_millis(20), ..Limits::default() };
    let mut client = open(&board().limits(limits)).await;
    let start = Instant::now();
    client.expect_silence().await;
    assert_eq!((client.pings(), start.elapsed()), (2, Duration::from_millis(50)), "and they do not prolong it");
}

#[tokio::test(start_paused = true)]
async fn connection_ends_when_a_client_that_answers_pings_is_dropped() {
    let board = Board::default();
    let disconnected = board.disconnected.clone();
    let client = open(&portcullis::websocket(board)).await;
    let start = Instant::now();
    sleep(Duration::from_secs(80)).await;
    drop(client);
    disconnected.notified().await;
    assert_eq!(start.elapsed(), Duration::from_secs(80), "at once, not with the next ping");
}
