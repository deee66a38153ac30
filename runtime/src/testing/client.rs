//! The client's end of an in-process connection.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout, timeout_at};

use super::Reply;
use crate::transport::Text;
use crate::transport::memory::{ClientFrame, ServerFrame, Wire};

/// How long a test waits for a frame before it fails.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long silence must last. With a paused clock it takes no time.
const SILENCE: Duration = Duration::from_millis(50);

/// A connected client. The connection ends when it is dropped.
///
/// Every frame that the server sends is seen once, in the order of arrival: a method that looks for a certain frame, such as
/// [`call`](Client::call), keeps the frames in front of it for the methods that are called next. Pings are no frames in this
/// sense: they are counted by [`pings`](Client::pings) and answered as
/// [`Connecting::answer_pings`](super::Connecting::answer_pings) says.
pub struct Client {
    wire: Wire,
    /// Frames that were received but not returned yet, oldest first.
    kept: VecDeque<Frame>,
    is_closed: bool,
    calls: u64,
    pings: usize,
}

/// A frame that a test can see.
enum Frame {
    Text(Text),
    Close(u16),
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::Text(text) => write!(f, "the message `{}`", &**text),
            Frame::Close(code) => write!(f, "a close with {code}"),
        }
    }
}

impl Client {
    pub(super) fn new(wire: Wire) -> Client {
        Client { wire, kept: VecDeque::new(), is_closed: false, calls: 0, pings: 0 }
    }

    /// Calls an action: `client.call("send").route("rooms/5/").with("text", "hi").await`.
    ///
    /// Awaiting it sends the message with a `request_id` and returns the reply that carries it. Frames that arrive in front of
    /// the reply are kept.
    ///
    /// # Panics
    ///
    /// When the connection is closed instead, or no reply comes within five minutes of the runtime's clock.
    pub fn call(&mut self, action: &str) -> Calling<'_> {
        let mut message = Map::new();
        message.insert("action".to_owned(), action.into());
        Calling { client: self, message }
    }

    /// Sends a text frame as it is.
    pub fn send(&mut self, text: impl Into<String>) {
        // A connection that is gone is noticed by whoever waits for its answer.
        let _ = self.wire.to_server.send(ClientFrame::Text(text.into()));
    }

    /// Sends a binary frame.
    pub fn send_binary(&mut self) {
        let _ = self.wire.to_server.send(ClientFrame::Binary);
    }

    /// Returns the next message, be it a reply or an event; kept ones come first.
    ///
    /// # Panics
    ///
    /// When the connection is closed instead, or nothing comes for five minutes of the runtime's clock.
    pub async fn reply(&mut self) -> Reply {
        message(self.take().await)
    }

    /// Returns the next event; kept ones come first. The frames in front of it are kept.
    ///
    /// # Panics
    ///
    /// When the connection is closed instead, or no event comes within five minutes of the runtime's clock.
    pub async fn event(&mut self) -> Reply {
        self.find(0, |message| message.get("event").is_some()).await
    }

    /// Asserts that nothing was kept, and that nothing comes for 50 ms of the runtime's clock. After a close that a test has
    /// seen, nothing can come.
    ///
    /// With a paused clock all tasks of the runtime have come to rest by then. With a running one 50 ms may be too short for
    /// what another thread sends; cause a frame that may be sent and assert that [`reply`](Client::reply) returns it instead.
    ///
    /// # Panics
    ///
    /// When there is a frame, which the message quotes, or the connection ends without a close.
    pub async fn expect_silence(&mut self) {
        if let Some(frame) = self.kept.front() {
            panic!("expected silence, but received {frame}");
        }
        if let Ok(Some(frame)) = timeout(SILENCE, self.next()).await {
            panic!("expected silence, but received {frame}");
        }
    }

    /// Waits until the connection is closed, and returns the code. Kept frames come first.
    ///
    /// # Panics
    ///
    /// When there is a message in front of the close, which the panic quotes, when the connection ends without a code, or when
    /// nothing comes for five minutes of the runtime's clock.
    pub async fn closed(&mut self) -> u16 {
        match self.take().await {
            Frame::Close(code) => code,
            frame @ Frame::Text(_) => panic!("expected a close, but received {frame}"),
        }
    }

    /// Returns how many pings have arrived among the frames that were received so far, the kept ones included.
    pub fn pings(&self) -> usize {
        self.pings
    }

    /// Returns the first message that `wanted` accepts, of the kept frames from `first` on and those that come after them. The
    /// others stay or become kept.
    async fn find(&mut self, first: usize, wanted: impl Fn(&Value) -> bool) -> Reply {
        let (mut at, end) = (first, Instant::now() + PATIENCE);
        loop {
            if at == self.kept.len() {
                let frame = self.receive(end).await;
                self.kept.push_back(frame);
            }
            let is_wanted = match &self.kept[at] {
                Frame::Text(text) => wanted(Reply::new(text.to_string()).value()),
                Frame::Close(_) => true,
            };
            if is_wanted && let Some(frame) = self.kept.remove(at) {
                return message(frame);
            }
            at += 1;
        }
    }

    /// Takes the oldest frame.
    async fn take(&mut self) -> Frame {
        match self.kept.pop_front() {
            Some(frame) => frame,
            None => self.receive(Instant::now() + PATIENCE).await,
        }
    }

    /// Receives a frame that was not kept before, until then.
    async fn receive(&mut self, end: Instant) -> Frame {
        let frame = timeout_at(end, self.next()).await;
        frame.expect("nothing came").expect("the connection is gone")
    }

    /// Receives a frame; `None` after a close. Cancel-safe.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.wire.from_server.recv().await {
                Some(ServerFrame::Ping) => self.pings += 1,
                Some(ServerFrame::Text(text)) => return Some(Frame::Text(text)),
                Some(ServerFrame::Close(code)) => {
                    self.is_closed = true;
                    return Some(Frame::Close(code));
                }
                None if self.is_closed => return None,
                None => panic!("the connection ended without a close"),
            }
        }
    }
}

fn message(frame: Frame) -> Reply {
    match frame {
        Frame::Text(text) => Reply::new(text.to_string()),
        Frame::Close(code) => panic!("the connection was closed with {code}"),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("calls", &self.calls).finish_non_exhaustive()
    }
}

/// A call that is about to be made.
#[must_use = "a call is sent when it is awaited"]
pub struct Calling<'c> {
    client: &'c mut Client,
    message: Map<String, Value>,
}

impl Calling<'_> {
    /// Calls it on this route.
    pub fn route(mut self, route: &str) -> Self {
        self.message.insert("route".to_owned(), route.into());
        self
    }

    /// With this argument.
    ///
    /// # Panics
    ///
    /// When the value cannot be JSON.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("an argument is JSON");
        self.message.insert(name.to_owned(), value);
        self
    }
}

impl<'c> IntoFuture for Calling<'c> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'c>>;

    fn into_future(mut self) -> Self::IntoFuture {
        self.client.calls += 1;
        let id = self.client.calls;
        self.message.insert("request_id".to_owned(), id.into());
        self.client.send(Value::Object(self.message).to_string());
        // What was kept before the call came before it, too.
        let first = self.client.kept.len();
        Box::pin(async move { self.client.find(first, |message| message["request_id"] == id).await })
    }
}

impl fmt::Debug for Calling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calling").field(&self.message).finish()
    }
}
