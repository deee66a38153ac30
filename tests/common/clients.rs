//! Endpoints on a real socket, and WebSocket clients for them.

use axum::Router;
use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis::{Consumer, Endpoint};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A WebSocket client.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Serves an endpoint at `/ws` on a free port, on the current runtime. Returns host and port.
pub async fn serve<C: Consumer>(endpoint: Endpoint<C>) -> String {
    let app = Router::new().route("/ws", endpoint.into_route());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Connects an HTTP/2 client.
pub async fn connect_http2(address: &str) -> SendRequest<Body> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Connects, and calls `ping`: its reply arrives after `#[connect]`, so that the connection is a member of its groups.
pub async fn connect_member(address: &str) -> Socket {
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    ping(&mut socket).await;
    socket
}

/// Calls `ping`, and returns the next frame, which is its reply if nothing else is sent.
pub async fn ping(socket: &mut Socket) -> String {
    socket.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    socket.next().await.unwrap().unwrap().to_string()
}
