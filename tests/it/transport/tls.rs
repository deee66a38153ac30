//! A consumer behind TLS, which the server itself terminates.

use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use futures_util::{SinkExt, StreamExt};
use portcullis::{AllowAny, consumer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

struct TlsServer;

#[consumer]
impl TlsServer {
    #[action(permission = AllowAny)]
    async fn length(&self, text: &str) -> usize {
        text.len()
    }

    #[action(permission = AllowAny)]
    async fn repeat(&self, times: usize) -> String {
        "x".repeat(times)
    }
}

struct TlsListener(TcpListener, TlsAcceptor);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.0.accept().await.unwrap();
        (self.1.accept(stream).await.unwrap(), address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn socket_behind_tls_sends_and_receives_frames_of_any_size() {
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
    let certificate = identity.cert.der().clone();
    let server =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TlsListener(listener, TlsAcceptor::from(Arc::new(server)));
    let app = Router::new().route("/ws", portcullis::websocket(TlsServer).into_route());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
    let (mut socket, _) = client_async("wss://localhost/ws", stream).await.unwrap();

    for length in [0, 100, 20_000, 60_000] {
        let message = json!({"action": "length", "text": "x".repeat(length)}).to_string();
        socket.send(Message::text(message)).await.unwrap();
        let reply: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(reply["data"], length, "{reply}");
    }
    for times in [1, 100_000, 3_000_000] {
        socket.send(Message::text(json!({"action": "repeat", "times": times}).to_string())).await.unwrap();
        let reply: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(reply["data"].as_str().unwrap().len(), times);
    }
    socket.send(Message::Ping("there?".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("there?".into()));
    socket.close(None).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    assert!(socket.next().await.is_none());
}
