//! Expiry and late authentication over a real socket: close code and reason.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use portcullis::Result;
use portcullis::http::request::Parts;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Member, fixture, member};
use crate::common::clients;
use crate::common::limits::without_heartbeat;

/// Reads the token from the query, with pluses for spaces.
async fn by_token(parts: &Parts) -> Result<Option<Member>> {
    let token = parts.uri.query().and_then(|query| query.strip_prefix("token="));
    Ok(token.map(|token| member(&token.replace('+', " "))))
}

#[tokio::test]
async fn expired_credentials_close_the_socket_with_4401_and_a_reason() {
    let fixture = fixture();
    let address = format!("ws://{}/ws?token=1+call", clients::serve(fixture.chat.clone().authenticate(by_token)).await);

    let Err(Error::Http(refused)) = connect_async(format!("{address}+0")).await else { panic!("it was let in") };
    assert_eq!(refused.status().as_u16(), 401);

    let (mut socket, _) = connect_async(format!("{address}+3600")).await.unwrap();
    let fresh = r#"{"action":"authenticate","token":"1 call 1"}"#;
    for message in [r#"{"action":"hang"}"#, fresh] {
        socket.send(Message::text(message)).await.unwrap();
    }
    let mut next = async || tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap();
    let reply: Value = serde_json::from_str(next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!((&reply["action"], &reply["status"]), (&"authenticate".into(), &204.into()));
    let Message::Close(Some(close)) = next().await.unwrap().unwrap() else { panic!("no close") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4401, "credentials expired"));
    assert!(next().await.is_none_or(|end| end.is_err()), "the socket ends");
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["action", "connection"]);
}

#[tokio::test]
async fn anonymous_client_that_is_late_is_closed_with_its_own_reason_while_idle_and_during_an_action() {
    let fixture = fixture();
    let chat = fixture.chat.clone().authenticate_within(Duration::from_millis(300));
    let address = format!("ws://{}/ws", clients::serve(chat).await);
    for message in [None, Some(r#"{"action":"public_hang"}"#)] {
        let (mut socket, _) = connect_async(&address).await.unwrap();
        if let Some(message) = message {
            socket.send(Message::text(message)).await.unwrap();
        }
        let frame = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap();
        let Message::Close(Some(close)) = frame.unwrap().unwrap() else { panic!("no close") };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (4401, "unauthenticated"), "{message:?}");
    }
}

#[tokio::test]
async fn slow_reader_is_closed_when_its_credentials_expire() {
    let fixture = fixture();
    let chat = fixture.chat.clone().limits(without_heartbeat());
    let address = format!("ws://{}/ws?token=1+-+1", clients::serve(chat.authenticate(by_token)).await);
    let start = Instant::now();
    let (mut socket, _) = connect_async(address).await.unwrap();
    socket.send(Message::text(r#"{"action":"flood"}"#)).await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), fixture.state.disconnected.notified())
        .await
        .expect("the connection ends");
    // The client has two seconds to read the close frame.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
