//! `Limits::messages_per_connection`: how many messages one connection may send.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Endpoint, Handler, Limits, Permission, PermissionContext, Rate, Result, consumer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::advance;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::common::clients::serve;
use crate::common::limits::without_heartbeat;
use crate::common::raw_socket;

#[derive(Default)]
struct Counts {
    evaluations: AtomicUsize,
    calls: AtomicUsize,
    started: Notify,
    finish: Notify,
}

struct Telegraph(Arc<Counts>);

/// Holds, and counts its evaluations.
struct EvaluationCounter;

impl Permission<Telegraph> for EvaluationCounter {
    async fn has_permission(
        &self,
        office: &Telegraph,
        _: &PermissionContext<'_, <Telegraph as Handler>::User>,
    ) -> Result<bool> {
        office.0.evaluations.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
}

#[consumer]
impl Telegraph {
    #[action(permission = EvaluationCounter)]
    async fn tap(&self, text: String) -> String {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        text
    }

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.0.started.notify_one();
        self.0.finish.notified().await;
    }

    /// Occupies its thread for five seconds of the paused clock.
    #[action(permission = AllowAny)]
    async fn occupy(&self) {
        assert!(
            advance(Duration::from_secs(5)).now_or_never().is_none(),
            "the clock has advanced, nothing else has run"
        );
    }
}

fn endpoint(rate: Rate) -> (Endpoint<Telegraph>, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let limits = Limits { messages_per_connection: Some(rate), ..without_heartbeat() };
    (portcullis::websocket(Telegraph(counts.clone())).limits(limits), counts)
}

async fn open(endpoint: &Endpoint<Telegraph>) -> Client {
    connect(endpoint).open().await.unwrap()
}

fn tap(id: usize) -> String {
    json!({ "action": "tap", "request_id": id, "text": "stop" }).to_string()
}

/// Receives replies, and compares their request ids and statuses.
async fn expect_replies(client: &mut Client, expected: &[(usize, u16)]) {
    for (id, status) in expected {
        let reply = client.reply().await;
        assert_eq!((&reply.value()["request_id"], reply.status()), (&json!(id), *status), "{}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn message_above_the_rate_is_refused_in_order() {
    let (endpoint, counts) = endpoint(Rate::per_second(1).burst(3));
    let mut client = open(&endpoint).await;
    client.send(r#"{"action":"wait","request_id":0}"#);
    counts.started.notified().await;
    for id in 1..5 {
        client.send(tap(id));
    }
    client.expect_silence().await;
    advance(Duration::from_mins(1)).await;
    counts.finish.notify_one();
    expect_replies(&mut client, &[(0, 200), (1, 200), (2, 200)]).await;
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.code()), (429, "too_many_requests"), "counted when it was read");
    let (id, wait) = (&reply.value()["request_id"], &reply.value()["errors"][0]["retry_after"]);
    assert_eq!((id, wait, &reply.value()["action"]), (&json!(3), &json!(0), &json!("tap")));
    expect_replies(&mut client, &[(4, 429)]).await;
    let calls = (counts.evaluations.load(Ordering::SeqCst), counts.calls.load(Ordering::SeqCst));
    assert_eq!(calls, (2, 2), "a refused message evaluates no permission");
    client.send(tap(5));
    expect_replies(&mut client, &[(5, 200)]).await;
}

#[tokio::test(start_paused = true)]
async fn connection_far_above_the_message_rate_is_closed_with_4429() {
    let (endpoint, _) = endpoint(Rate::per_minute(1).burst(3));
    let mut client = open(&endpoint).await;
    for id in 0..20 {
        client.send(tap(id));
    }
    expect_replies(&mut client, &[(0, 200), (1, 200), (2, 200), (3, 429), (4, 429), (5, 429)]).await;
    assert_eq!(client.closed().await, 4429);
    assert_eq!(client.close_reason(), Some("retry after 60"));
}

#[tokio::test(start_paused = true)]
async fn messages_behind_an_action_are_answered_before_the_connection_closes_with_4429() {
    let (endpoint, counts) = endpoint(Rate::per_minute(1).burst(2));
    let mut client = open(&endpoint).await;
    client.send(r#"{"action":"wait","request_id":0}"#);
    counts.started.notified().await;
    for id in 1..20 {
        client.send(tap(id));
    }
    client.expect_silence().await;
    counts.finish.notify_one();
    expect_replies(&mut client, &[(0, 200), (1, 200), (2, 429), (3, 429)]).await;
    assert_eq!(client.closed().await, 4429);
}

#[tokio::test(start_paused = true)]
async fn client_that_keeps_the_message_rate_is_never_refused() {
    let (endpoint, _) = endpoint(Rate::per_second(2).burst(4));
    let mut client = open(&endpoint).await;
    for id in 0..100 {
        client.send(tap(id));
        expect_replies(&mut client, &[(id, 200)]).await;
        advance(Duration::from_millis(500)).await;
    }
}

/// Opens a connection that runs an action, and has sent as many messages as are read ahead by a rate of four per second.
async fn open_behind_an_action(endpoint: &Endpoint<Telegraph>, counts: &Counts) -> Client {
    let mut client = open(endpoint).await;
    client.send(r#"{"action":"wait","request_id":0}"#);
    counts.started.notified().await;
    for id in 1..=32 {
        advance(Duration::from_millis(250)).await;
        client.send(tap(id));
    }
    client.expect_silence().await;
    client
}

#[tokio::test(start_paused = true)]
async fn client_that_keeps_the_rate_is_not_refused_after_the_server_has_read_nothing_for_a_while() {
    let (endpoint, counts) = endpoint(Rate::per_second(4).burst(2));
    let mut client = open_behind_an_action(&endpoint, &counts).await;
    for id in 33..=100 {
        advance(Duration::from_millis(250)).await;
        client.send(tap(id));
    }
    counts.finish.notify_one();
    expect_replies(&mut client, &[(0, 200)]).await;
    for id in 1..=100 {
        expect_replies(&mut client, &[(id, 200)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_keeps_the_rate_is_not_refused_after_an_action_has_occupied_the_thread() {
    let (endpoint, counts) = endpoint(Rate::per_second(4).burst(2));
    let mut client = open(&endpoint).await;
    client.send(r#"{"action":"wait","request_id":0}"#);
    counts.started.notified().await;
    client.send(r#"{"action":"occupy","request_id":1}"#);
    // It is read ahead.
    client.expect_silence().await;
    for id in 2..=20 {
        // Sent while the thread is occupied: the server does not run before the test waits.
        client.send(tap(id));
    }
    counts.finish.notify_one();
    for id in 0..=20 {
        expect_replies(&mut client, &[(id, 200)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn flood_while_the_server_reads_nothing_gets_no_more_than_the_rate_of_that_time() {
    let (endpoint, counts) = endpoint(Rate::per_second(4).burst(2));
    let mut client = open_behind_an_action(&endpoint, &counts).await;
    advance(Duration::from_secs(15)).await;
    for id in 33..1000 {
        client.send(tap(id));
    }
    counts.finish.notify_one();
    let (replies, code) = client.close().await;
    let (calls, refused) = (counts.calls.load(Ordering::SeqCst), replies.iter().filter(|reply| reply.status() == 429));
    assert!((32 + 4 * 15 - 2..=32 + 4 * 15 + 2).contains(&calls), "{calls}");
    assert_eq!((replies.len(), code), (1 + calls + refused.count(), 4429));
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_message_above_the_rate_is_refused() {
    let (endpoint, counts) = endpoint(Rate::per_hour(1).burst(6));
    let mut client = open(&endpoint).await;
    for _ in 0..6 {
        client.send_binary();
        assert_eq!(client.reply().await.status(), 400);
    }
    client.send_binary();
    assert_eq!(client.reply().await.status(), 429);
    for text in ["{", "[]", "", r#"{"action":"missing","request_id":7}"#, r#"{"action":"tap","request_id":7,"text":5}"#]
    {
        client.send(text);
        let reply = client.reply().await;
        assert_eq!((reply.status(), &reply.value()["errors"][0]["retry_after"]), (429, &json!(3600)), "{text}");
        if text.contains('7') {
            assert_eq!(reply.value()["request_id"], 7);
        }
    }
    assert_eq!(counts.evaluations.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn pongs_do_not_count_as_messages() {
    let (rate, interval) = (Rate::per_hour(1).burst(1), Duration::from_secs(1));
    let limits = Limits { messages_per_connection: Some(rate), ping_interval: interval, ..Limits::default() };
    let (endpoint, _) = endpoint(rate);
    let mut client = open(&endpoint.limits(limits)).await;
    client.send(tap(0));
    expect_replies(&mut client, &[(0, 200)]).await;
    tokio::time::sleep(interval * 100).await;
    client.send(tap(1));
    expect_replies(&mut client, &[(1, 429)]).await;
    assert!(client.pings() > 50);
}

#[tokio::test]
async fn pings_count_as_messages() {
    let (endpoint, _) = endpoint(Rate::per_hour(1).burst(2));
    let (mut socket, _) = connect_async(format!("ws://{}/ws", serve(endpoint).await)).await.unwrap();
    for _ in 0..5 {
        socket.send(Message::Ping("there?".into())).await.unwrap();
    }
    let mut pongs = 0;
    let close = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Pong(_) => pongs += 1,
            Message::Close(Some(close)) => break close,
            other => panic!("{other}"),
        }
    };
    assert!(pongs > 0);
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4429, "retry after 3600"));
}

#[tokio::test]
async fn flood_of_messages_on_a_socket_reaches_the_action_no_more_often_than_the_burst() {
    let (endpoint, counts) = endpoint(Rate::per_hour(1).burst(50));
    let mut stream = raw_socket::connect(&serve(endpoint).await).await;
    let flood = raw_socket::frame(&tap(7)).repeat(2000);
    stream.write_all(&flood).await.unwrap();
    let (mut replies, mut refused) = (0, 0);
    let close = loop {
        let (first, payload) = raw_socket::read_frame(&mut stream).await.unwrap();
        match first {
            0x81 if String::from_utf8_lossy(&payload).contains(r#""status":429"#) => refused += 1,
            0x81 => replies += 1,
            _ => break payload,
        }
    };
    assert_eq!((replies, refused, counts.calls.load(Ordering::SeqCst)), (50, 50, 50));
    assert_eq!(close, [&4429_u16.to_be_bytes(), &b"retry after 3600"[..]].concat());
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "nothing follows the close frame");
}
