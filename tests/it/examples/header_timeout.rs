//! The server of the `chat` example: a time limit for request headers.

#[path = "../../../examples/listen/serve.rs"]
mod serve;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use portcullis::{AllowAny, Limits, Rate, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;

use self::serve::serve;
use super::small::PATIENCE;
use crate::common::clients::{connect_member, ping};

const LIMIT: Duration = Duration::from_millis(200);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(200);

struct Porter;

#[consumer]
impl Porter {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Serves an endpoint. Returns the address, and what ends the server.
async fn start(header_timeout: Duration) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let limits = Limits { handshakes_per_address: Some(Rate::per_hour(2)), ..Limits::default() };
    let app = Router::new()
        .route("/ws", portcullis::websocket(Porter).limits(limits).into_route())
        .route("/hang", get(std::future::pending::<()>))
        .route("/page", get(|| async { "a page" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, (stop, stopped)) = (listener.local_addr().unwrap(), oneshot::channel::<()>());
    let server = tokio::spawn(serve(listener, app, header_timeout, SHUTDOWN_TIMEOUT, async { stopped.await.unwrap() }));
    (address, stop, server)
}

/// Sends the beginning of a request, and returns when the server has closed the connection.
async fn send_and_wait(address: SocketAddr, text: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut response)).await.expect("the server waits").unwrap();
    assert!(!response.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&response));
}

#[tokio::test]
async fn client_that_sends_half_a_request_is_cut_and_a_websocket_is_not() {
    let (address, stop, server) = start(LIMIT).await;
    let mut socket = connect_member(&address.to_string()).await;
    for text in ["", "GET /w", "GET /ws HTTP/1.1\r\nHost: localhost\r\n"] {
        let start = Instant::now();
        send_and_wait(address, text).await;
        assert!(start.elapsed() >= LIMIT, "{text:?}");
    }
    // Longer than the limit after the handshake.
    let reply = ping(&mut socket).await;
    assert!(reply.contains(r#""status":200"#), "{reply}");
    stop.send(()).unwrap();
    timeout(PATIENCE, server).await.expect("the server does not end").unwrap();
}

#[tokio::test]
async fn server_with_a_header_limit_knows_the_addresses_of_its_clients_and_ends() {
    let (address, stop, server) = start(PATIENCE * 10).await;
    let url = format!("ws://{address}/ws");
    let mut sockets = Vec::new();
    for _ in 0..2 {
        sockets.push(connect_async(&url).await.unwrap());
    }
    connect_async(&url).await.unwrap_err();
    // Open, and without a request.
    let _idle = TcpStream::connect(address).await.unwrap();
    stop.send(()).unwrap();
    timeout(PATIENCE, server).await.expect("the server does not end").unwrap();
}

#[tokio::test]
async fn time_for_the_headers_is_that_of_the_whole_request_not_of_its_next_byte() {
    let (address, _stop, _server) = start(LIMIT).await;
    let (mut stream, start) = (TcpStream::connect(address).await.unwrap(), Instant::now());
    let request = format!("GET /page HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "x".repeat(10_000));
    let mut interval = tokio::time::interval(LIMIT / 20);
    let (mut reader, mut writer) = stream.split();
    let send = async {
        for byte in request.as_bytes() {
            interval.tick().await;
            // Fails once the server has closed the connection.
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    };
    let mut response = Vec::new();
    let closed = tokio::select! {
        closed = reader.read_to_end(&mut response) => closed,
        () = send => reader.read_to_end(&mut response).await,
    };
    // A reset, if a byte has arrived after the server has closed the connection.
    assert!(closed.is_err() || !response.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&response));
    assert!(start.elapsed() >= LIMIT && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn connection_that_is_kept_alive_is_cut_when_no_further_request_comes_in_time() {
    let (address, _stop, _server) = start(LIMIT).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut response, start) = (Vec::new(), Instant::now());
    timeout(PATIENCE, stream.read_to_end(&mut response)).await.expect("the server waits").unwrap();
    assert!(response.ends_with(b"a page") && start.elapsed() >= LIMIT / 2, "{:?}", start.elapsed());
}

#[tokio::test]
async fn server_that_is_stopped_cuts_a_request_that_does_not_end() {
    let (address, stop, server) = start(PATIENCE * 10).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Answered after the request above was read, since the server accepts one connection after the other.
    connect_member(&address.to_string()).await;
    stop.send(()).unwrap();
    let start = Instant::now();
    timeout(PATIENCE, server).await.expect("the server does not end").unwrap();
    assert!(start.elapsed() < PATIENCE);
    let mut response = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut response)).await.expect("the connection is open");
    assert!(response.is_empty());
}
