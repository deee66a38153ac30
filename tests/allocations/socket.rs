//! The memory of idle connections over real sockets, counted on the server's thread.

use std::net::SocketAddr;
use std::time::Duration;

use allocation_counter::measure;
use axum::Router;
use portcullis::{AllowAny, ConnectContext, Event, Group, Limits, Publisher, Result, consumer, websocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const CONNECTIONS: usize = 20;
const EVENTS: usize = 100;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Hall, permission = AllowAny, publish = members, events(Said))]
struct Everybody;

#[derive(Event)]
struct Said(String);

struct Hall;

#[consumer]
impl Hall {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Everybody).await
    }

    #[action(permission = AllowAny)]
    async fn length(&self, text: &str) -> usize {
        text.len()
    }

    #[action(permission = AllowAny)]
    async fn long_reply(&self) -> String {
        "x".repeat(1024 * 1024)
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &str {
        &event.0
    }
}

/// A client that keeps no buffer.
struct Client(TcpStream);

impl Client {
    async fn open(address: SocketAddr) -> Client {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut end = [0; 4];
        while &end != b"\r\n\r\n" {
            end.rotate_left(1);
            end[3] = stream.read_u8().await.unwrap();
        }
        let mut client = Client(stream);
        client.call(r#"{"action":"length","text":""}"#).await;
        client
    }

    /// Sends a message, and skips its reply and pings.
    async fn call(&mut self, message: &str) {
        let length = (message.len() as u64).to_be_bytes();
        let header = match message.len() {
            0..126 => vec![0x81, 0x80 | length[7], 0, 0, 0, 0],
            126..65_536 => vec![0x81, 0xFE, length[6], length[7], 0, 0, 0, 0],
            _ => unreachable!("longer than the limit"),
        };
        self.0.write_all(&header).await.unwrap();
        self.0.write_all(message.as_bytes()).await.unwrap();
        self.skip(0x81).await;
    }

    /// Skips frames up to one with this first byte.
    async fn skip(&mut self, first: u8) {
        loop {
            let (received, short) = (self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap());
            let mut length = match short {
                126 => u64::from(self.0.read_u16().await.unwrap()),
                127 => self.0.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut buffer = [0; 4096];
            while length > 0 {
                let part = length.min(4096);
                self.0.read_exact(&mut buffer[..usize::try_from(part).unwrap()]).await.unwrap();
                length -= part;
            }
            if received == first {
                return;
            }
        }
    }
}

fn serve(runtime: &Runtime) -> (Publisher<Hall>, SocketAddr) {
    let limits = Limits { ping_interval: Duration::from_millis(300), ..Limits::default() };
    let hall = websocket(Hall).limits(limits);
    let publisher = hall.publisher();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, Router::new().route("/ws", hall.into_route())).await });
    (publisher, address)
}

#[test]
fn idle_socket_is_small_again_after_a_burst() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (publisher, address) = serve(&runtime);
    // The first connection makes the buffers of the thread.
    let mut first = runtime.block_on(Client::open(address));
    let mut clients = Vec::with_capacity(CONNECTIONS);
    let opened = measure(|| {
        runtime.block_on(async {
            for _ in 0..CONNECTIONS {
                clients.push(Client::open(address).await);
            }
        });
    });
    let message = format!(r#"{{"action":"length","text":"{}"}}"#, "x".repeat(64_000));
    let burst = measure(|| {
        runtime.block_on(async {
            for _ in 0..EVENTS {
                publisher.publish(&Everybody, Said("x".repeat(2048)));
            }
            for client in clients.iter_mut().chain([&mut first]) {
                for _ in 0..EVENTS {
                    client.skip(0x81).await;
                }
                client.call(&message).await;
                client.call(r#"{"action":"long_reply"}"#).await;
            }
            for client in clients.iter_mut().chain([&mut first]) {
                // The buffers of the connection are freed with a ping, and there may be one that was sent before.
                client.skip(0x89).await;
                client.skip(0x89).await;
            }
        });
    });
    let count = i64::try_from(CONNECTIONS).unwrap();
    let (fresh, growth) = (opened.bytes_current / count, burst.bytes_current / count);
    println!("per idle socket: {fresh} bytes, and {growth} more after a burst");
    assert!(burst.bytes_max > 1024 * 1024, "the burst is measured");
    assert!(fresh < 6 * 1024, "{fresh} bytes per idle socket");
    assert!(growth < 1024, "{growth} bytes more per socket after a burst");
    drop(clients);
}
