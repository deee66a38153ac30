//! How a client ends its connection: with a close frame, or by being dropped.

use std::time::Duration;

use portcullis::{DisconnectReason, Limits};
use tokio::time::Instant;

use super::{Board, Posted, Wall, open, panic_of};

#[tokio::test(start_paused = true)]
async fn close_returns_what_was_not_returned_yet_and_the_code() {
    let board = Board::default();
    let (disconnected, reason) = (board.disconnected.clone(), board.reason.clone());
    let board = portcullis::websocket(board);
    let mut client = open(&board).await;
    board.publisher().publish(&Wall, Posted(1));
    assert_eq!(client.call("ping").await.data(), "pong");
    client.send(r#"{"action":"ping"}"#);
    let start = Instant::now();
    let (messages, code) = client.close().await;
    disconnected.notified().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(code, 1000);
    assert_eq!(
        (messages[0].data_as::<u32>(), messages[1].data_as::<String>(), messages.len()),
        (1, "pong".to_owned(), 2)
    );
    assert_eq!(reason.get(), Some(&DisconnectReason::PeerGone));
}

#[tokio::test(start_paused = true)]
async fn close_of_a_connection_that_the_server_closes_returns_its_code() {
    let board = portcullis::websocket(Board::default()).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let mut client = open(&board).await;
    client.send("x".repeat(101));
    assert_eq!(client.close().await.1, 1009);
}

#[tokio::test(start_paused = true)]
async fn close_after_the_close_was_returned_panics() {
    let board = portcullis::websocket(Board::default()).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let mut client = open(&board).await;
    client.send("x".repeat(101));
    assert_eq!(client.closed().await, 1009);
    assert_eq!(panic_of(client.close()).await, "the connection is closed");
}
