//! A client whose process dies sends a FIN and no close frame. The connection detects it at once, whatever it is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use portcullis::{AllowAny, ConnectContext, Endpoint, Event, Group, Publisher, Result, Scope, Streamed, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::common::{clients, raw_socket};

#[derive(Default)]
struct State {
    began: Notify,
    go_on: Notify,
    /// Set to let `#[connect]` wait for `go_on`.
    is_slow: AtomicBool,
    disconnected: Notify,
    pings: AtomicUsize,
    /// Members that an event was evaluated for.
    members: AtomicUsize,
}

impl State {
    async fn wait(&self) {
        self.began.notify_one();
        self.go_on.notified().await;
    }
}

struct Booth(Arc<State>);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Booth, permission = AllowAny, publish = members, events(Search))]
struct Room;

#[derive(Event)]
struct Search;

#[consumer]
impl Booth {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Room).await?;
        if self.0.is_slow.load(Ordering::SeqCst) {
            self.0.wait().await;
        }
        Ok(())
    }

    #[disconnect]
    async fn disconnect(&self) {
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn search(&self, _: &Search, _: &Scope<()>) -> Option<()> {
        self.0.members.fetch_add(1, Ordering::SeqCst);
        None
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {
        self.0.pings.fetch_add(1, Ordering::SeqCst);
    }

    #[action(permission = AllowAny, cancel = drop)]
    async fn wait(&self) {
        self.0.wait().await;
    }

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn wait_detached(&self) {
        self.0.wait().await;
    }

    /// Sends one value and never ends.
    #[action(permission = AllowAny)]
    async fn stream(&self) -> Streamed<impl futures_util::Stream<Item = u8> + use<>> {
        self.0.began.notify_one();
        Streamed(futures_util::StreamExt::chain(futures_util::stream::iter([1]), futures_util::stream::pending()))
    }
}

struct Server {
    state: Arc<State>,
    publisher: Publisher<Booth>,
    address: String,
}

async fn serve() -> Server {
    let state = Arc::<State>::default();
    let hall: Endpoint<Booth> = portcullis::websocket(Booth(state.clone()));
    let publisher = hall.publisher();
    let address = clients::serve(hall).await;
    Server { state, publisher, address }
}

impl Server {
    fn members(&self) -> usize {
        self.state.members.store(0, Ordering::SeqCst);
        self.publisher.publish(&Room, Search);
        self.state.members.load(Ordering::SeqCst)
    }

    /// Sends a message, waits until the action that it calls has begun, and ends the stream as a dead process does.
    async fn disconnect_during(&self, message: &str) -> TcpStream {
        let mut stream = raw_socket::connect(&self.address).await;
        stream.write_all(&raw_socket::frame(message)).await.unwrap();
        self.state.began.notified().await;
        stream.shutdown().await.unwrap();
        stream
    }

    /// The connection ends, though no action does.
    async fn assert_ended(&self) {
        timeout(Duration::from_secs(20), self.state.disconnected.notified()).await.expect("the end was not noticed");
        assert_eq!(self.members(), 0);
    }
}

#[tokio::test]
async fn idle_connection_whose_client_is_gone_ends() {
    let server = serve().await;
    let mut stream = raw_socket::connect(&server.address).await;
    stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    assert_eq!(server.members(), 1);
    stream.shutdown().await.unwrap();
    server.assert_ended().await;
}

#[tokio::test]
async fn connection_with_a_running_action_whose_client_is_gone_ends() {
    let server = serve().await;
    let _stream = server.disconnect_during(r#"{"action":"wait"}"#).await;
    server.assert_ended().await;
}

#[tokio::test]
async fn connection_with_queued_messages_whose_client_is_gone_ends() {
    let server = serve().await;
    let mut stream = raw_socket::connect(&server.address).await;
    let messages = [r#"{"action":"wait"}"#, r#"{"action":"ping"}"#, r#"{"action":"ping"}"#].map(raw_socket::frame);
    stream.write_all(&messages.concat()).await.unwrap();
    server.state.began.notified().await;
    stream.shutdown().await.unwrap();
    server.assert_ended().await;
}

#[tokio::test]
async fn connection_with_a_stream_whose_client_is_gone_ends() {
    let server = serve().await;
    let _stream = server.disconnect_during(r#"{"action":"stream"}"#).await;
    server.assert_ended().await;
}

#[tokio::test]
async fn connection_with_a_detached_action_whose_client_is_gone_ends() {
    let server = serve().await;
    let _stream = server.disconnect_during(r#"{"action":"wait_detached"}"#).await;
    server.assert_ended().await;
}

#[tokio::test]
async fn client_gone_during_connect_leaves_its_groups_after_its_messages_are_dispatched() {
    let server = serve().await;
    server.state.is_slow.store(true, Ordering::SeqCst);
    let mut stream = raw_socket::connect(&server.address).await;
    server.state.began.notified().await;
    stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    stream.shutdown().await.unwrap();
    // On one thread: what was sent has arrived once another connection has been answered.
    server.state.is_slow.store(false, Ordering::SeqCst);
    let mut other = raw_socket::connect(&server.address).await;
    other.write_all(&raw_socket::frame(r#"{"action":"wait_detached"}"#)).await.unwrap();
    server.state.began.notified().await;
    server.state.go_on.notify_waiters();
    timeout(Duration::from_secs(20), server.state.disconnected.notified()).await.expect("the end was not noticed");
    assert_eq!((server.members(), server.state.pings.load(Ordering::SeqCst)), (1, 1));
}
