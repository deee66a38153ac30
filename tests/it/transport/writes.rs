//! How many writes replies take: each is a system call, and most of what a reply costs.

use std::io::Result;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::serve::Listener;
use futures_util::StreamExt;
use portcullis::{AllowAny, consumer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

struct WriteCounted;

#[consumer]
impl WriteCounted {
    #[action(permission = AllowAny)]
    async fn length(&self, text: &str) -> usize {
        text.len()
    }
}

/// A stream that counts its writes.
struct CountedStream {
    stream: TcpStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for CountedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

struct CountingListener(TcpListener, Arc<AtomicUsize>);

impl Listener for CountingListener {
    type Io = CountedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CountedStream, SocketAddr) {
        let (stream, address) = self.0.accept().await.unwrap();
        (CountedStream { stream, writes: self.1.clone() }, address)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Builds a text frame of a client with a mask of zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[tokio::test]
async fn replies_to_messages_that_arrive_together_are_one_write() {
    let (listener, writes) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::new(AtomicUsize::new(0)));
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/ws", portcullis::websocket(WriteCounted).into_route());
    let listener = CountingListener(listener, writes.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut client, _) = client_async("ws://localhost/ws", stream).await.unwrap();
    let before = writes.load(Ordering::SeqCst);
    let (rounds, in_flight) = (10, 16);
    let messages = frame(r#"{"action":"length","text":"four"}"#).repeat(in_flight);
    for _ in 0..rounds {
        client.get_mut().write_all(&messages).await.unwrap();
        for _ in 0..in_flight {
            let reply = client.next().await.unwrap().unwrap();
            assert!(matches!(reply, Message::Text(text) if text.contains(r#""data":4"#)));
        }
    }
    assert_eq!(writes.load(Ordering::SeqCst) - before, rounds);
}
