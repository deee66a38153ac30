//! Refused handshakes: what a client sees of the reason, in a response or in a close frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::request::Parts;
use portcullis::testing::connect;
use portcullis::{AllowAny, ConnectContext, Endpoint, Error, IsAuthenticated, Limits, Result, StatusCode, consumer};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::common::{HasRole, Member, clients, member, raw_socket};

/// Counts what application code runs after a handshake.
#[derive(Default)]
struct Reception {
    runs: Arc<AtomicUsize>,
}

#[consumer(user = Member, connect = "IsAuthenticated & HasRole(\"staff\")")]
impl Reception {
    #[connect]
    async fn welcome(&self, _: &ConnectContext<'_, Member>) -> Result<()> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    #[disconnect]
    async fn farewell(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }
}

/// Authenticates by the query.
async fn authenticate(parts: &Parts) -> Result<Option<Member>> {
    match parts.uri.query().unwrap_or_default() {
        "staff" => Ok(Some(member(1, &["staff"]))),
        "guest" => Ok(Some(member(2, &[]))),
        "wrong" => Err(Error::unauthenticated()),
        "locked" => Err(Error::denied()),
        "flood" => Err(Error::too_many_requests(Duration::from_millis(2500))),
        "teapot" => Err(Error::new(StatusCode::IM_A_TEAPOT, "teapot", "Short and stout.")),
        "broken" => Err(Error::internal("no database")),
        "panics" => panic!("no database"),
        "hangs" => std::future::pending().await,
        _ => Ok(None),
    }
}

/// A query, the status of the response, the code of the close frame and its reason.
const REFUSED: [(&str, u16, u16, &str); 10] = [
    ("anonymous", 401, 4401, "unauthenticated"),
    ("wrong", 401, 4401, "unauthenticated"),
    ("guest", 403, 4403, "refused"),
    ("locked", 403, 4403, "refused"),
    ("flood", 429, 4429, "retry after 3"),
    ("teapot", 418, 4418, "refused"),
    ("broken", 500, 4500, "internal error"),
    ("panics", 500, 4500, "internal error"),
    ("hangs", 500, 4500, "internal error"),
    ("long", 431, 4431, "refused"),
];

fn reception() -> (Endpoint<Reception>, Arc<AtomicUsize>) {
    let reception = Reception::default();
    let runs = reception.runs.clone();
    let limits = Limits { action_timeout: Duration::from_secs(1), max_request_bytes: 100, ..Limits::default() };
    (portcullis::websocket(reception).authenticate(authenticate).limits(limits), runs)
}

fn url(address: &str, query: &str) -> String {
    let padding = if query == "long" { "x".repeat(200) } else { String::new() };
    format!("ws://{address}/ws?{query}{padding}")
}

#[tokio::test]
async fn refused_handshake_gets_a_response() {
    let address = clients::serve(reception().0).await;
    for (query, status, ..) in REFUSED {
        let error = connect_async(url(&address, query)).await.unwrap_err();
        let tungstenite::Error::Http(response) = error else { panic!("{query}: {error}") };
        assert_eq!(response.status(), status, "{query}");
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(retry_after, (query == "flood").then_some("3"), "{query}");
        assert!(response.body().as_ref().is_none_or(Vec::is_empty), "{query}");
    }
}

#[tokio::test]
async fn refused_handshake_is_closed_with_its_reason_if_the_endpoint_says_so() {
    let (endpoint, runs) = reception();
    let address = clients::serve(endpoint.refuse_with_close()).await;
    for (query, _, code, reason) in REFUSED {
        let (mut socket, response) = connect_async(url(&address, query)).await.unwrap();
        assert_eq!(response.status(), 101, "{query}");
        // Read with the close frame at most, and never processed.
        let _ = socket.send(Message::text(r#"{"action":"ping"}"#)).await;
        let frame = socket.next().await.unwrap().unwrap();
        let Message::Close(Some(frame)) = frame else { panic!("{query}: {frame}") };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (code, reason), "{query}");
        assert!(socket.next().await.is_none_or(|end| end.is_err()), "{query}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0, "nothing of the application runs for a refused client");
    let mut accepted = connect_async(url(&address, "staff")).await.unwrap().0;
    accepted.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    assert!(accepted.next().await.unwrap().unwrap().to_text().unwrap().contains("200"));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

/// A browser refuses the close frame of an endpoint that answers none of the subprotocols that the page has offered.
#[tokio::test]
async fn refusal_answers_the_subprotocol_of_the_client() {
    let endpoint = reception().0.subprotocols(["chat.v2", "chat.v1"]).refuse_with_close();
    let address = clients::serve(endpoint).await;
    for query in ["staff", "wrong", "guest"] {
        let mut request = url(&address, query).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "chat.v1".parse().unwrap());
        let (_, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v1", "{query}");
    }
    let mut request = url(&address, "staff").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat.v3".parse().unwrap());
    let tungstenite::Error::Http(response) = connect_async(request).await.unwrap_err() else { panic!() };
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn page_of_a_foreign_origin_gets_a_response_in_any_case() {
    let address = clients::serve(reception().0.refuse_with_close()).await;
    for query in ["staff", "anonymous"] {
        let mut request = url(&address, query).into_client_request().unwrap();
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        let tungstenite::Error::Http(response) = connect_async(request).await.unwrap_err() else { panic!("{query}") };
        assert_eq!(response.status(), 403);
    }
    assert_eq!(
        connect(&reception().0.refuse_with_close())
            .header("origin", "https://evil.example")
            .open()
            .await
            .unwrap_err()
            .status(),
        403
    );
}

#[tokio::test(start_paused = true)]
async fn refused_client_that_does_not_read_holds_its_connection_for_two_seconds() {
    let endpoint = reception().0.refuse_with_close();
    let mut client = connect(&endpoint).path("/?wrong").open().await.unwrap();
    assert_eq!((client.closed().await, client.close_reason()), (4401, Some("unauthenticated")));
    let address = clients::serve(endpoint).await;
    let mut stream = raw_socket::connect_with(&address, "?wrong").await;
    let begun_at = Instant::now();
    assert_eq!(raw_socket::read_frame(&mut stream).await.unwrap().0, 0x88);
    // It sends no close frame.
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
    assert!(begun_at.elapsed() <= Duration::from_secs(3), "{:?}", begun_at.elapsed());
}
