//! The fixture of the tests in which members of one group share the events of a publisher over real sockets.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::request::Parts;
use portcullis::{
    AllowAny, ConnectContext, Disconnect, DisconnectReason, Endpoint, Event, Group, Limits, OverflowPolicy, Publisher,
    Result, Scope, User, consumer, websocket,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::common::limits::without_timeouts;
use crate::common::{Padding, clients, raw_socket};

/// A user whose credentials expire if its request asks for that.
pub(super) struct Reader(Option<SystemTime>);

impl User for Reader {
    fn id(&self) -> Cow<'_, str> {
        "reader".into()
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.0
    }
}

pub(super) struct PageFeed {
    ended: UnboundedSender<DisconnectReason>,
    /// Members that a roll call was evaluated for.
    members: Arc<AtomicUsize>,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = PageFeed, permission = AllowAny, publish = members, events(Page, RollCall))]
pub(super) struct Readers;

/// A number and this many bytes.
#[derive(Event)]
pub(super) struct Page(pub(super) usize, pub(super) usize);

/// Counts the members, and is sent to none.
#[derive(Event)]
struct RollCall;

#[consumer(user = Reader)]
impl PageFeed {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Reader>) -> Result<()> {
        cx.join(Readers).await
    }

    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, Reader>) {
        // A test that is over counts no more.
        let _ = self.ended.send(cx.reason());
    }

    #[event(permission = AllowAny)]
    fn page(event: &Page) -> (usize, Padding) {
        (event.0, Padding(event.1))
    }

    #[event(permission = AllowAny)]
    fn roll_call(&self, _: &RollCall, _: &Scope<Reader>) -> Option<()> {
        self.members.fetch_add(1, Ordering::SeqCst);
        None
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

async fn authenticate(parts: &Parts) -> Result<Option<Reader>> {
    let seconds = parts.uri.query().and_then(|query| query.strip_prefix("expires=")?.parse().ok());
    Ok(Some(Reader(seconds.map(|seconds| SystemTime::now() + Duration::from_secs(seconds)))))
}

/// The server's side of a test.
pub(super) struct Server {
    pub(super) endpoint: Endpoint<PageFeed>,
    pub(super) publisher: Publisher<PageFeed>,
    ended: UnboundedReceiver<DisconnectReason>,
    members: Arc<AtomicUsize>,
}

impl Server {
    /// Creates an endpoint whose send queues hold `max_queued_events`.
    pub(super) fn new(max_queued_events: usize, policy: OverflowPolicy) -> Server {
        let limits =
            Limits { max_queued_events, max_queued_bytes: usize::MAX, grants_max_age: None, ..without_timeouts() };
        let (sender, ended) = unbounded_channel();
        let members = Arc::<AtomicUsize>::default();
        let page_feed = PageFeed { ended: sender, members: members.clone() };
        let endpoint = websocket(page_feed).authenticate(authenticate).limits(limits).overflow_policy(policy);
        Server { publisher: endpoint.publisher(), endpoint, ended, members }
    }

    /// Serves the endpoint on the current runtime. Returns host and port.
    pub(super) async fn serve(&self) -> String {
        clients::serve(self.endpoint.clone()).await
    }

    /// Waits until a connection has ended, and returns why.
    pub(super) async fn ended(&mut self) -> DisconnectReason {
        timeout(Duration::from_mins(1), self.ended.recv()).await.expect("a connection ends").unwrap()
    }

    /// Returns how many connections have ended since the last call.
    pub(super) fn take_ended(&mut self) -> usize {
        std::iter::from_fn(|| self.ended.try_recv().ok()).count()
    }

    /// Returns how many connections are members.
    pub(super) fn members(&self) -> usize {
        self.members.store(0, Ordering::SeqCst);
        self.publisher.publish(&Readers, RollCall);
        self.members.load(Ordering::SeqCst)
    }
}

/// A client that has joined the group.
pub(super) struct Member(pub(super) TcpStream);

impl Member {
    pub(super) async fn open(address: &str) -> Member {
        Member::joined(raw_socket::connect(address).await).await
    }

    /// Waits until the connection is a member.
    pub(super) async fn joined(stream: TcpStream) -> Member {
        let mut member = Member(stream);
        member.send(r#"{"action":"ping"}"#).await;
        let (_, reply) = member.next().await;
        assert!(reply.contains(r#""status":200"#), "{reply}");
        member
    }

    pub(super) async fn send(&mut self, message: &str) {
        self.0.write_all(&raw_socket::frame(message)).await.unwrap();
    }

    /// Returns the next frame: its first byte, and its payload.
    pub(super) async fn next(&mut self) -> (u8, String) {
        let frame = timeout(Duration::from_mins(1), raw_socket::read_frame(&mut self.0)).await;
        let (first, payload) = frame.expect("a frame arrives").unwrap();
        (first, String::from_utf8_lossy(&payload).into_owned())
    }

    /// Returns the number of the next frame, which is a page.
    pub(super) async fn next_page(&mut self) -> usize {
        let (first, text) = self.next().await;
        page_number(&text).unwrap_or_else(|| panic!("{first:x}: {text}"))
    }

    /// Receives these pages, in this order.
    pub(super) async fn expect_pages(&mut self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            assert_eq!(self.next_page().await, number);
        }
    }
}

/// Returns the number of a page.
pub(super) fn page_number(text: &str) -> Option<usize> {
    text.strip_prefix(r#"{"event":"page","data":["#)?.split(',').next()?.parse().ok()
}
