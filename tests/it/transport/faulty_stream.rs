//! Streams that fail or panic at any call, in any state of the connection. `#[disconnect]` runs once, the memberships end,
//! and no other connection is affected.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use portcullis::{AllowAny, CloseCode, ConnectContext, Event, Group, Limits, Result, Scope, consumer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::common::raw_socket;

/// A call of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Flush,
    Shutdown,
}

/// What a call does that does not succeed.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Error,
    Panic,
    /// Waits once, and then panics.
    LatePanic,
    /// Takes no byte, or is at its end.
    Zero,
}

/// The fault of the connections that are accepted, once it is armed.
#[derive(Debug, Clone, Copy)]
struct Plan(Call, Fault);

#[derive(Default)]
struct State {
    /// How many connections have ended.
    disconnects: AtomicUsize,
    disconnected: Notify,
    /// Members that an event was evaluated for.
    members: AtomicUsize,
}

struct Faulty {
    inner: TcpStream,
    plan: Plan,
    has_waited: bool,
    /// Whether the server has sent the reply after which calls fail.
    is_armed: bool,
}

impl Faulty {
    /// Returns the result of a call that does not succeed.
    fn fail(&mut self, call: Call, cx: &Context<'_>) -> Option<Poll<io::Result<usize>>> {
        if !self.is_armed || self.plan.0 != call {
            return None;
        }
        match self.plan.1 {
            Fault::Error => Some(Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))),
            Fault::LatePanic if !std::mem::replace(&mut self.has_waited, true) => {
                cx.waker().wake_by_ref();
                Some(Poll::Pending)
            }
            Fault::Panic | Fault::LatePanic => panic!("{call:?}"),
            Fault::Zero => Some(Poll::Ready(Ok(0))),
        }
    }
}

impl AsyncRead for Faulty {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.fail(Call::Read, cx) {
            Some(outcome) => outcome.map_ok(|_| ()),
            None => Pin::new(&mut self.inner).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Faulty {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(outcome) = self.fail(Call::Write, cx) {
            return outcome;
        }
        // The reply to `arm` is sent, and all calls that follow have the fault.
        self.is_armed |= bytes.windows(5).any(|part| part == b"armed");
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.fail(Call::Flush, cx) {
            Some(outcome) => outcome.map_ok(|_| ()),
            None => Pin::new(&mut self.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.fail(Call::Shutdown, cx) {
            Some(outcome) => outcome.map_ok(|_| ()),
            None => Pin::new(&mut self.inner).poll_shutdown(cx),
        }
    }
}

struct FaultyListener(TcpListener, Plan);

impl Listener for FaultyListener {
    type Io = Faulty;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Faulty, Self::Addr) {
        let (inner, address) = self.0.accept().await.unwrap();
        (Faulty { inner, plan: self.1, has_waited: false, is_armed: false }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// How many events are published after a connection has ended.
const EVENTS: usize = 3;

struct FaultyServer(Arc<State>);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = FaultyServer, permission = AllowAny, publish = members, events(Number))]
struct Hall;

#[derive(Event)]
struct Number(usize);

#[consumer]
impl FaultyServer {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Hall).await
    }

    #[disconnect]
    async fn disconnect(&self) {
        self.0.disconnects.fetch_add(1, Ordering::SeqCst);
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn number(&self, event: &Number, _: &Scope<()>) -> Option<usize> {
        self.0.members.fetch_add(1, Ordering::SeqCst);
        (event.0 < EVENTS).then_some(event.0)
    }

    #[action(permission = AllowAny)]
    async fn arm(&self) -> &'static str {
        "armed"
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &portcullis::Context<'_, ()>) -> Result<()> {
        cx.close(CloseCode::NORMAL, "")
    }
}

/// What the client of the faulty stream does after the stream is armed. Its end begins the shutdown.
const MESSAGES: [&str; 2] = [r#"{"action":"ping"}"#, r#"{"action":"leave"}"#];

#[tokio::test]
async fn fault_of_a_stream_ends_its_connection_and_no_other() {
    for call in [Call::Read, Call::Write, Call::Flush, Call::Shutdown] {
        for fault in [Fault::Error, Fault::Panic, Fault::LatePanic, Fault::Zero] {
            for message in MESSAGES {
                let plan = Plan(call, fault);
                let ends = timeout(Duration::from_secs(20), assert_contained(plan, message)).await;
                ends.unwrap_or_else(|_| panic!("the connection does not end: {plan:?}, {message}"));
            }
        }
    }
}

async fn assert_contained(plan: Plan, message: &str) {
    let state = Arc::<State>::default();
    let endpoint = portcullis::websocket(FaultyServer(state.clone())).limits(Limits::default());
    let publisher = endpoint.publisher();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new().route("/ws", endpoint.into_route());
    let server = tokio::spawn(async move { axum::serve(FaultyListener(listener, plan), app).await });

    let mut bystander = raw_socket::connect(&address).await;
    bystander.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    raw_socket::read_frame(&mut bystander).await.unwrap();
    let mut faulty = raw_socket::connect(&address).await;
    faulty.write_all(&raw_socket::frame(r#"{"action":"arm"}"#)).await.unwrap();
    let (_, reply) = raw_socket::read_frame(&mut faulty).await.unwrap();
    assert!(reply.windows(5).any(|part| part == b"armed"));

    faulty.write_all(&raw_socket::frame(message)).await.unwrap();
    // The shutdown is called when the client ends the connection.
    faulty.shutdown().await.unwrap();
    state.disconnected.notified().await;
    for number in 0..EVENTS {
        publisher.publish(&Hall, Number(number));
        let (_, event) = raw_socket::read_frame(&mut bystander).await.unwrap();
        assert_eq!(event, format!(r#"{{"event":"number","data":{number}}}"#).as_bytes());
    }
    assert_eq!(state.members.load(Ordering::SeqCst), EVENTS, "only the bystander is a member: {plan:?}");
    // The client reads to the end, which comes even if its stream has panicked.
    let _ = faulty.read_to_end(&mut Vec::new()).await;
    assert_eq!(state.disconnects.load(Ordering::SeqCst), 1, "{plan:?}");
    server.abort();
}
