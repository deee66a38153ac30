//! A consumer over a real socket: the axum service, tower layers, rejections before the upgrade, and frame limits.

use std::time::Duration;

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use portcullis::{AllowAny, Context, Limits, consumer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{client_async, connect_async};

use crate::common::clients::Socket;
use crate::common::{Member, member};

struct Server;

#[consumer(user = Member, connect = "crate::common::HasRole(\"member\")")]
impl Server {
    #[action(permission = AllowAny)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Option<u32> {
        cx.user().map(|member| member.id)
    }

    #[action(permission = AllowAny)]
    async fn big(&self) -> String {
        "x".repeat(15 * 1024 * 1024)
    }

    /// Awaits in the middle, like an action that holds a lock.
    #[action(permission = AllowAny)]
    async fn waits_briefly(&self) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        WAITED.notify_one();
    }

    #[action(permission = AllowAny)]
    async fn wait(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

static WAITED: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// Serves the consumer under `/ws`, with a layer that authenticates one user by a header.
async fn serve() -> String {
    let authenticated =
        axum::middleware::from_fn(|mut request: axum::extract::Request, next: axum::middleware::Next| {
            if let Some(role) = request.headers().get("x-role") {
                let role = if role == "member" { "member" } else { "other" };
                request.extensions_mut().insert(member(7, &[role]));
            }
            next.run(request)
        });
    let limits = Limits { max_frame_bytes: 1000, ..Limits::default() };
    let app =
        Router::new().route("/ws", portcullis::websocket(Server).limits(limits).into_route()).layer(authenticated);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

async fn connect(address: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn next(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap().unwrap().unwrap()
}

async fn call(socket: &mut Socket, text: &str) -> Value {
    socket.send(Message::text(text)).await.unwrap();
    serde_json::from_str(next(socket).await.to_text().unwrap()).unwrap()
}

const MEMBER: &[(&str, &str)] = &[("x-role", "member")];

#[tokio::test]
async fn socket_messages_are_answered() {
    let address = serve().await;
    let mut socket = connect(&address, MEMBER).await.unwrap();
    assert_eq!(call(&mut socket, r#"{"action":"whoami","request_id":1}"#).await["data"], 7);
    socket.send(Message::binary(b"{}".to_vec())).await.unwrap();
    let reply: Value = serde_json::from_str(next(&mut socket).await.to_text().unwrap()).unwrap();
    assert_eq!(reply["errors"][0]["code"], "binary_frame");
    assert_eq!(call(&mut socket, r#"{"action":"whoami"}"#).await["status"], 200);
}

#[tokio::test]
async fn handshake_is_rejected_before_the_upgrade() {
    let address = serve().await;
    assert_eq!(connect(&address, &[]).await.unwrap_err(), 401);
    assert_eq!(connect(&address, &[("x-role", "other")]).await.unwrap_err(), 403);
    assert_eq!(connect(&address, &[("x-role", "member"), ("origin", "https://evil.example")]).await.unwrap_err(), 403);
    let own = format!("http://{address}");
    assert!(connect(&address, &[("x-role", "member"), ("origin", &own)]).await.is_ok());
}

struct Located;

#[consumer]
impl Located {
    #[action(permission = AllowAny)]
    async fn path(&self, cx: &Context<'_, ()>) -> String {
        cx.scope().path().to_owned()
    }

    #[action(permission = AllowAny)]
    async fn param(&self, name: &str, cx: &Context<'_, ()>) -> portcullis::Result<u32> {
        cx.scope().url_param(name)
    }
}

#[tokio::test]
async fn scope_has_the_whole_path_and_the_captures_of_the_axum_route() {
    let inner = Router::new().route("/ws/{box_id}/{name}", portcullis::websocket(Located).into_route());
    let app = Router::new().nest("/api/{version}", inner);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let (mut socket, _) = connect_async(format!("ws://{address}/api/2/ws/%37/a%20b?q=1")).await.unwrap();
    assert_eq!(call(&mut socket, r#"{"action":"path"}"#).await["data"], "/api/2/ws/%37/a%20b");
    for (name, status, data) in [
        ("box_id", 200, Value::from(7)),
        ("version", 200, 2.into()),
        ("name", 404, Value::Null),
        ("no", 500, Value::Null),
    ] {
        let reply = call(&mut socket, &format!(r#"{{"action":"param","name":"{name}"}}"#)).await;
        assert_eq!((&reply["status"], &reply["data"]), (&status.into(), &data), "{name}");
    }
    match connect_async(format!("ws://{address}/api/2/ws/7/%ff")).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 400),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn request_without_upgrade_is_rejected() {
    let address = serve().await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 4"), "{response}");
}

#[tokio::test]
async fn frame_over_the_limit_closes_with_1009() {
    let address = serve().await;
    let mut socket = connect(&address, MEMBER).await.unwrap();
    let fits = format!(r#"{{"action":"whoami","x":"{}"}}"#, "x".repeat(900));
    assert_eq!(call(&mut socket, &fits).await["status"], 200);
    for size in [1001, 1_000_000] {
        let mut socket = connect(&address, MEMBER).await.unwrap();
        socket.send(Message::text("x".repeat(size))).await.unwrap();
        let Message::Close(Some(frame)) = next(&mut socket).await else { panic!("no close") };
        assert_eq!(u16::from(frame.code), 1009, "{size}");
    }
}

#[tokio::test]
async fn client_ping_is_answered_while_an_action_runs() {
    let address = serve().await;
    let mut socket = connect(&address, MEMBER).await.unwrap();
    socket.send(Message::text(r#"{"action":"wait","millis":300}"#)).await.unwrap();
    socket.send(Message::Ping(b"there?".to_vec().into())).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong(b"there?".to_vec().into()));
    assert!(next(&mut socket).await.is_text());
}

/// Builds a masked client frame that a client library would not send.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// Upgrades by hand, sends the bytes, and returns what the server sends until the end.
async fn raw(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-role: member\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    answer.split_off(end)
}

#[tokio::test]
async fn invalid_frame_closes_with_its_code() {
    let address = serve().await;
    for (bytes, code) in [(frame(0x81, b"\xff\xfe"), 1007_u16), (frame(0x83, b"x"), 1002)] {
        let close = raw(&address, &[bytes, frame(0x88, &code.to_be_bytes())].concat()).await;
        assert_eq!((close[0], &close[2..4]), (0x88, &code.to_be_bytes()[..]), "{close:?}");
    }
}

#[tokio::test]
async fn closing_client_gets_its_replies_and_a_close_frame() {
    let address = serve().await;
    let goodbye = frame(0x88, &1000_u16.to_be_bytes());
    assert_eq!(raw(&address, &goodbye).await, [0x88, 2, 0x03, 0xe8]);
    let answer = raw(&address, &[frame(0x81, br#"{"action":"whoami"}"#), goodbye].concat()).await;
    let reply = br#"{"errors":[],"data":7,"action":"whoami","route":"","status":200}"#;
    assert_eq!(answer, [&[0x81, 64][..], reply, &[0x88, 2, 0x03, 0xe8]].concat());
}

#[tokio::test]
async fn oversized_frame_does_not_end_the_action_before_it() {
    let address = serve().await;
    let mut socket = connect(&address, MEMBER).await.unwrap();
    socket.feed(Message::text(r#"{"action":"wait","millis":100}"#)).await.unwrap();
    socket.send(Message::text("x".repeat(2000))).await.unwrap();
    assert!(next(&mut socket).await.is_text());
    let Message::Close(Some(frame)) = next(&mut socket).await else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 1009);
}

#[tokio::test]
async fn slow_reader_does_not_delay_its_own_action() {
    let address = serve().await;
    let mut socket = connect(&address, MEMBER).await.unwrap();
    socket.feed(Message::text(r#"{"action":"big"}"#)).await.unwrap();
    socket.send(Message::text(r#"{"action":"waits_briefly"}"#)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), WAITED.notified()).await.unwrap();
    assert!(next(&mut socket).await.len() > 15_000_000);
    assert!(next(&mut socket).await.is_text());
}

#[tokio::test]
async fn client_gone_during_an_action_harms_no_other_connection() {
    let address = serve().await;
    let mut leaving = connect(&address, MEMBER).await.unwrap();
    leaving.send(Message::text(r#"{"action":"wait","millis":10000}"#)).await.unwrap();
    drop(leaving);
    let mut staying = connect(&address, MEMBER).await.unwrap();
    assert_eq!(call(&mut staying, r#"{"action":"whoami"}"#).await["data"], 7);
}

/// An action that waits until it is released.
struct Gate(std::sync::Arc<tokio::sync::Notify>);

#[consumer]
impl Gate {
    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.0.notified().await;
    }

    #[action(permission = AllowAny)]
    async fn length(&self, text: &str) -> usize {
        text.len()
    }
}

#[tokio::test]
async fn read_ahead_is_bounded_in_bytes() {
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let limits = Limits { max_read_ahead_bytes: 100_000, ..Limits::default() };
    let endpoint = portcullis::websocket(Gate(gate.clone())).limits(limits);
    // The buffers of the kernel are small, so that what the client can write is what the server reads.
    let server = TcpSocket::new_v4().unwrap();
    server.set_recv_buffer_size(4096).unwrap();
    server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = server.listen(8).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/ws", endpoint.into_route())).await });
    let client = TcpSocket::new_v4().unwrap();
    client.set_send_buffer_size(4096).unwrap();
    let stream = client.connect(address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{address}/ws"), stream).await.unwrap();

    socket.send(Message::text(r#"{"action":"wait"}"#)).await.unwrap();
    let text = "x".repeat(30_000);
    let message = format!(r#"{{"action":"length","text":"{text}"}}"#);
    let mut taken = 0;
    while tokio::time::timeout(Duration::from_millis(500), socket.send(Message::text(&message))).await.is_ok() {
        taken += 1;
        assert!(taken < 10, "{taken} messages of 30 kB were read ahead");
    }
    assert!(taken >= 2, "only {taken} messages were read ahead");

    gate.notify_one();
    socket.flush().await.unwrap();
    let mut replies = 0;
    while replies < taken + 2 {
        let reply: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(reply["status"], 200, "{reply}");
        replies += 1;
    }
}
