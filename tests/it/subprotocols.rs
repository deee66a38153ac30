//! The negotiation of subprotocols, over HTTP/1.1 and HTTP/2.

use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method, Request, StatusCode, Version};
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use portcullis::testing::connect;
use portcullis::{AllowAny, ConnectContext, Context, Endpoint, Error, Result, consumer};
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, connect_async};

use crate::common::clients::{Socket, connect_http2, serve};
use crate::common::{Member, member};

struct Polyglot;

#[consumer(user = Member)]
impl Polyglot {
    #[connect]
    async fn on_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        if cx.scope().subprotocol() == Some("refused") { Err(Error::denied()) } else { Ok(()) }
    }

    #[authenticate]
    async fn log_in(&self, id: u32) -> Result<Option<Member>> {
        Ok(Some(member(id, &[])))
    }

    #[action(permission = AllowAny)]
    async fn subprotocol(&self, cx: &Context<'_, Member>) -> Option<String> {
        cx.scope().subprotocol().map(str::to_owned)
    }
}

fn endpoint() -> Endpoint<Polyglot> {
    portcullis::websocket(Polyglot).subprotocols(["chat.v2", "chat.v1"]).subprotocols(["refused"])
}

/// Connects by HTTP/1.1. Returns the socket with the subprotocol of the response.
async fn open(address: &str, offered: Option<&str>) -> tungstenite::Result<(Socket, Option<HeaderValue>)> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    if let Some(offered) = offered {
        request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
    }
    let (socket, response) = connect_async(request).await?;
    Ok((socket, response.headers().get("sec-websocket-protocol").cloned()))
}

/// Returns the subprotocol that the scope of a connection has.
async fn scope_of<S>(socket: &mut WebSocketStream<S>) -> Value
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    socket.send(Message::text(r#"{"action":"subprotocol"}"#)).await.unwrap();
    let reply = socket.next().await.unwrap().unwrap();
    serde_json::from_str::<Value>(reply.to_text().unwrap()).unwrap()["data"].take()
}

#[tokio::test]
async fn preferred_subprotocol_of_the_server_is_answered_and_kept() {
    let address = serve(endpoint()).await;
    for (offered, chosen) in [
        (Some("chat.v1"), Some("chat.v1")),
        (Some("chat.v1, chat.v2"), Some("chat.v2")),
        (Some("unknown,chat.v1"), Some("chat.v1")),
        (None, None),
    ] {
        let (mut socket, answered) = open(&address, offered).await.unwrap();
        assert_eq!(answered.as_ref().map(|name| name.to_str().unwrap()), chosen, "{offered:?}");
        assert_eq!(scope_of(&mut socket).await, Value::from(chosen));
    }
}

#[tokio::test]
async fn client_that_offers_only_unknown_subprotocols_is_rejected() {
    let address = serve(endpoint()).await;
    for offered in ["unknown", "CHAT.V1", "chat.v3, chat", "ticket.x"] {
        let Err(tungstenite::Error::Http(response)) = open(&address, Some(offered)).await else {
            panic!("{offered} is accepted")
        };
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers().get("sec-websocket-protocol"), None);
    }
}

#[tokio::test]
async fn endpoint_without_subprotocols_accepts_and_answers_none() {
    let offered = connect(&portcullis::websocket(Polyglot)).header("sec-websocket-protocol", "chat.v1");
    let mut client = offered.open().await.unwrap();
    assert_eq!(*client.call("subprotocol").await.data(), Value::Null);
    // As a browser does.
    let address = serve(portcullis::websocket(Polyglot)).await;
    let error = open(&address, Some("chat.v1")).await.unwrap_err();
    assert!(matches!(error, tungstenite::Error::Protocol(_)), "{error}");
}

#[tokio::test]
async fn origin_is_checked_before_the_subprotocol() {
    let connecting = connect(&endpoint()).header("origin", "https://evil.example").header("host", "chat.example");
    let rejected = connecting.header("sec-websocket-protocol", "unknown").open().await.unwrap_err();
    assert_eq!(rejected.status(), 403);
}

#[tokio::test]
async fn subprotocol_is_known_to_connect_and_survives_authentication() {
    let endpoint = endpoint();
    let open = |name| connect(&endpoint).header("sec-websocket-protocol", name).open();
    let mut refused = open("refused").await.unwrap();
    assert_eq!(refused.closed().await, 4403);
    let mut client = open("chat.v1").await.unwrap();
    assert_eq!(client.call("authenticate").with("id", 5).await.status(), 204);
    assert_eq!(*client.call("subprotocol").await.data(), "chat.v1");
}

#[tokio::test]
async fn subprotocol_is_negotiated_over_http2() {
    let mut client = connect_http2(&serve(endpoint()).await).await;
    let request = |offered: &str| {
        let request = Request::builder().version(Version::HTTP_2).method(Method::CONNECT).uri("http://localhost/ws");
        let request = request.header("sec-websocket-version", "13").header("sec-websocket-protocol", offered);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        request
    };
    let rejected = client.send_request(request("unknown")).await.unwrap();
    assert_eq!(rejected.status(), StatusCode::BAD_REQUEST);
    let response = client.send_request(request("unknown, chat.v2")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v2");
    let stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    assert_eq!(scope_of(&mut socket).await, "chat.v2");
}

#[test]
#[should_panic(expected = "`chat v1` is not the name of a subprotocol; write `chat.v1`")]
fn invalid_name_fails_at_set_up() {
    let _ = portcullis::websocket(Polyglot).subprotocols(["chat v1"]);
}

#[test]
#[should_panic(expected = "the subprotocol `ticket.a` presents a ticket, so it cannot be negotiated")]
fn name_that_presents_a_ticket_fails_at_set_up() {
    let _ = portcullis::websocket(Polyglot).subprotocols(["ticket.a"]);
}
