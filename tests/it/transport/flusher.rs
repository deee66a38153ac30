//! Events for connections that wait for their clients, whose frames are written past their tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, SinkExt, StreamExt};
use portcullis::{
    AllowAny, ConnectContext, Connections, Context, Endpoint, Event, Group, Limits, Publisher, Result, consumer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::common::clients::{self, connect_member};
use crate::common::limits::without_timeouts;
use crate::common::raw_socket;

#[derive(Default)]
struct State {
    disconnected: Notify,
    began: Notify,
    go_on: Notify,
    is_delivered: AtomicBool,
}

struct Auction(Arc<State>);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Auction, permission = AllowAny, publish = members, events(Bid))]
struct Sale;

/// A number, and the length of what follows it in the frame.
#[derive(Event)]
struct Bid(u32, usize);

#[consumer]
impl Auction {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Sale).await?;
        Ok(())
    }

    #[disconnect]
    async fn disconnect(&self) {
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn bid(event: &Bid) -> (u32, String) {
        (event.0, "x".repeat(event.1))
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.0.began.notify_one();
        self.0.go_on.notified().await;
    }

    /// Publishes, and computes until the event is delivered. Returns whether it was.
    #[action(permission = AllowAny)]
    async fn compute(&self, cx: &Context<'_, ()>) -> Result<bool> {
        cx.unchecked_publisher::<Auction>()?.publish(&Sale, Bid(7, 0));
        // While this thread computes, it may be the only one that would run the runtime's timers.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.0.is_delivered.load(Ordering::SeqCst) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        Ok(self.0.is_delivered.load(Ordering::SeqCst))
    }
}

struct Server {
    state: Arc<State>,
    publisher: Publisher<Auction>,
    connections: Connections<Auction>,
    address: String,
}

async fn serve(limits: Limits) -> Server {
    let state = Arc::<State>::default();
    let auction: Endpoint<Auction> = portcullis::websocket(Auction(state.clone())).limits(limits);
    let (publisher, connections) = (auction.publisher(), auction.connections());
    let address = clients::serve(auction).await;
    Server { state, publisher, connections, address }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn event_that_was_deferred_is_delivered_to_an_idle_connection() {
    let server = serve(without_timeouts()).await;
    let mut socket = connect_member(&server.address).await;
    for number in 1..=2 {
        // The session is not revalidated before this task yields.
        assert!(server.connections.refresh_all().now_or_never().unwrap().is_acknowledged());
        server.publisher.publish(&Sale, Bid(number, 0));
        let frame = timeout(MINUTE, socket.next()).await.unwrap().unwrap().unwrap();
        assert!(frame.to_text().unwrap().contains(&format!("[{number},")));
    }
}

/// The action occupies one of the two threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_of_a_publisher_is_delivered_while_its_action_computes() {
    let server = serve(without_timeouts()).await;
    let (mut computing, mut other) = (connect_member(&server.address).await, connect_member(&server.address).await);
    computing.send(Message::text(r#"{"action":"compute"}"#)).await.unwrap();
    let event = timeout(MINUTE, other.next()).await.unwrap().unwrap().unwrap();
    assert!(event.to_text().unwrap().contains("[7,"), "{event}");
    server.state.is_delivered.store(true, Ordering::SeqCst);
    let reply = timeout(MINUTE, computing.next()).await.unwrap().unwrap().unwrap();
    assert!(reply.to_text().unwrap().contains(r#""data":true"#), "{reply}");
}

#[tokio::test]
async fn stream_of_a_client_that_is_gone_is_ended_while_its_action_runs() {
    let server = serve(without_timeouts()).await;
    let mut stream = raw_socket::connect(&server.address).await;
    stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    stream.write_all(&raw_socket::frame(r#"{"action":"wait"}"#)).await.unwrap();
    server.state.began.notified().await;
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    timeout(MINUTE, stream.read_to_end(&mut rest)).await.expect("the stream ends").unwrap();
    server.state.go_on.notify_one();
    server.state.disconnected.notified().await;
}

/// It had parked when its client stopped reading.
#[tokio::test]
async fn client_that_stops_reading_is_disconnected_after_the_send_timeout() {
    let limits = Limits { send_timeout: Duration::from_millis(50), max_queued_bytes: usize::MAX, ..without_timeouts() };
    let server = serve(limits).await;
    let _stuck = connect_member(&server.address).await;
    // More than the buffers of the kernel take.
    for number in 0..64 {
        server.publisher.publish(&Sale, Bid(number, 500_000));
    }
    timeout(MINUTE, server.state.disconnected.notified()).await.expect("the connection ends");
}

/// Returns the first byte and the payload of the next frame.
async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let (first, length) = (stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap());
    let length = match length {
        126 => u64::from(stream.read_u16().await.unwrap()),
        127 => stream.read_u64().await.unwrap(),
        length => length.into(),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

const TEXT: u8 = 0x81;
const PONG: u8 = 0x8A;
/// A ping with the mask 0 and no payload.
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// The flusher and the task write to the same socket, and the socket takes parts of frames.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_to_a_client_that_reads_from_time_to_time_are_whole_and_in_order() {
    const EVENTS_PER_ROUND: u32 = 40;
    let limits = Limits { max_queued_bytes: usize::MAX, max_event_bytes: 1_000_000, ..without_timeouts() };
    let server = serve(limits).await;
    let mut stream = raw_socket::connect(&server.address).await;
    stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    assert_eq!(read_frame(&mut stream).await.0, TEXT);
    let mut next_number = 0;
    for round in 0..20 {
        let publisher = server.publisher.clone();
        let publishing = tokio::spawn(async move {
            for number in 0..EVENTS_PER_ROUND {
                let length = [10, 3_000, 100_000, 400_000][(number % 4) as usize];
                publisher.publish(&Sale, Bid(round * EVENTS_PER_ROUND + number, length));
                tokio::task::yield_now().await;
            }
        });
        let (mut replies, mut pongs, mut events) = (0, 0, 0);
        stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
        stream.write_all(&PING).await.unwrap();
        if round % 2 == 0 {
            publishing.await.unwrap();
        }
        while replies < 1 || pongs < 1 || events < EVENTS_PER_ROUND {
            let (first, payload) = timeout(MINUTE, read_frame(&mut stream)).await.unwrap();
            match first {
                PONG => pongs += 1,
                TEXT if payload.starts_with(b"{\"errors\"") => replies += 1,
                TEXT => {
                    let text = String::from_utf8(payload).unwrap();
                    assert!(
                        text.contains(&format!("[{next_number},")),
                        "{next_number}: {}",
                        &text[..50.min(text.len())]
                    );
                    (events, next_number) = (events + 1, next_number + 1);
                }
                other => panic!("unexpected frame {other:#x}"),
            }
        }
        assert_eq!((replies, pongs, events), (1, 1, EVENTS_PER_ROUND));
    }
}
