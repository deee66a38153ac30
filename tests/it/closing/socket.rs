//! `cx.close` on a real socket, also with a client that does not read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::{Endpoint, Limits, OverflowPolicy};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{Lounge, Progress, Room, Said, lounge_with, message};
use crate::common::clients::{Socket, serve};
use crate::common::member;

/// Connects as user 1 and joins.
async fn connect(lounge: Endpoint<Lounge>) -> Socket {
    let lounge = lounge.authenticate(|_: &http::request::Parts| async { Ok(Some(member(1, &[]))) });
    let address = serve(lounge).await;
    let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
    let (mut socket, _) = connect_async_with_config(format!("ws://{address}/ws"), Some(config), false).await.unwrap();
    for action in ["ping", "enter"] {
        socket.send(message(action).into()).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().is_text());
    }
    socket
}

/// Reads until the connection is closed. Returns the sizes of the text frames, and the code and the reason of the close
/// frame, if there is one.
async fn read_all(socket: &mut Socket) -> (Vec<usize>, Option<(u16, String)>) {
    let mut sizes = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => sizes.push(text.len()),
            Message::Close(frame) => {
                return (sizes, frame.map(|frame| (frame.code.into(), frame.reason.to_string())));
            }
            _ => {}
        }
    }
    (sizes, None)
}

fn goodbye() -> (u16, String) {
    (4000, "goodbye".to_owned())
}

#[tokio::test]
async fn client_receives_the_reply_then_the_code_and_the_reason() {
    let (state, lounge) = lounge_with(Limits::default());
    let mut socket = connect(lounge).await;
    for action in ["quit", "note", "note"] {
        socket.feed(message(action).into()).await.unwrap();
    }
    socket.flush().await.unwrap();
    let (sizes, close) = read_all(&mut socket).await;
    assert_eq!((sizes.len(), close), (1, Some(goodbye())));
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4000, left [Room]"]);
}

/// `#[disconnect]` runs while the reply is still being sent.
#[tokio::test]
async fn large_reply_arrives_before_the_close_frame() {
    let (state, lounge) = lounge_with(Limits::default());
    let mut socket = connect(lounge).await;
    socket.send(message("quit_at_length").into()).await.unwrap();
    state.disconnected.notified().await;
    let (sizes, close) = read_all(&mut socket).await;
    assert!(matches!(sizes[..], [size] if size > 15 * 1024 * 1024), "{sizes:?}");
    assert_eq!(close, Some(goodbye()));
}

/// Publishes until the socket of the only member cannot take any more, so that its send queue is full.
async fn fill_send_queue(lounge: &Endpoint<Lounge>) {
    let publisher = lounge.publisher();
    while publisher.counters().dropped < 100 {
        publisher.publish(&Room, Said("x".repeat(100_000)));
        tokio::task::yield_now().await;
    }
}

async fn open_stalled(send_timeout: Duration) -> (Arc<Progress>, Endpoint<Lounge>, Socket) {
    let (state, lounge) = lounge_with(Limits { max_queued_events: 16, send_timeout, ..Limits::default() });
    let lounge = lounge.overflow_policy(OverflowPolicy::DropOldest);
    let mut socket = connect(lounge.clone()).await;
    // Begins before the socket is full.
    socket.send(message("quit_waiting").into()).await.unwrap();
    state.started(1).await;
    for _ in 0..2 {
        socket.send(message("note").into()).await.unwrap();
    }
    fill_send_queue(&lounge).await;
    (state, lounge, socket)
}

#[tokio::test]
async fn client_with_a_full_send_queue_receives_its_events_then_the_reply_and_the_close_frame() {
    let (state, lounge, mut socket) = open_stalled(Duration::from_mins(1)).await;
    state.resume(1);
    let (sizes, close) = read_all(&mut socket).await;
    assert_eq!(close, Some(goodbye()));
    assert!(*sizes.last().unwrap() < 1_000, "the last frame is the reply");
    assert_eq!(sizes.len() as u64, lounge.publisher().counters().delivered + 1);
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4000, left [Room]"]);
}

#[tokio::test]
async fn client_that_does_not_read_keeps_a_closing_connection_for_the_send_timeout() {
    let (state, _lounge, mut socket) = open_stalled(Duration::from_millis(300)).await;
    state.resume(1);
    // Nothing is read until the connection has ended.
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: peer gone, left [Room]"], "no further message has begun");
    assert_eq!(read_all(&mut socket).await.1, None);
}

/// The reply of the detached action waits for the client, and no other action waits for it.
#[tokio::test]
async fn nothing_begins_while_the_reply_of_a_closing_action_waits() {
    let (state, lounge) = lounge_with(Limits { max_queued_events: 16, ..Limits::default() });
    let lounge = lounge.overflow_policy(OverflowPolicy::DropOldest);
    let mut socket = connect(lounge.clone()).await;
    socket.send(r#"{"action":"quit_waiting_detached","code":4000}"#.into()).await.unwrap();
    state.started(1).await;
    for action in ["wait_silently", "note"] {
        socket.send(message(action).into()).await.unwrap();
    }
    state.started(1).await;
    fill_send_queue(&lounge).await;
    // The permits are given in the order in which the actions have begun. The next message follows without a wait.
    for _ in 0..2 {
        state.resume(1);
        state.started(1).await;
    }
    assert_eq!(read_all(&mut socket).await.1, Some(goodbye()));
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4000, left [Room]"]);
}
