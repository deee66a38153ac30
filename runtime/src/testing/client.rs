//! The test client, which is the client end of an in-process connection.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::Reply;
use crate::transport::memory::{ClientEnd, ClientFrame, ServerFrame};
use crate::transport::{CloseFrame, FrameText};

/// Time limit of a method that waits for a frame.
const FRAME_TIMEOUT: Duration = Duration::from_mins(5);
/// Time without a frame that counts as silence. With a paused clock, waiting for it takes no real time.
const SILENCE_DURATION: Duration = Duration::from_millis(50);

/// A connected client, returned by [`ConnectBuilder::open`](super::ConnectBuilder::open).
///
/// Dropping it ends the connection without a close frame, as when the client's process dies. [`close`](Client::close) sends a
/// close frame, as a browser does when the user leaves a page.
///
/// Each frame from the server is returned once, in the order of arrival. A method that waits for a certain frame, such as
/// [`call`](Client::call), keeps the frames that arrive before it for later calls. Pings are not returned as frames: they
/// are counted by [`pings`](Client::pings) and answered unless
/// [`ConnectBuilder::answer_pings`](super::ConnectBuilder::answer_pings) is set to `false`.
///
/// ```standalone_crate
/// use portcullis::testing::connect;
/// use portcullis::{AllowAny, consumer};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut client = connect(&portcullis::websocket(Echo)).open().await.unwrap();
/// let reply = client.call("echo").with("text", "hi").await;
/// assert_eq!((reply.status(), reply.data().as_str()), (200, Some("hi")));
///
/// client.send("no JSON");
/// assert_eq!(client.reply().await.code(), "malformed_message");
///
/// client.send_binary();
/// assert_eq!(client.reply().await.status(), 400);
/// client.expect_silence().await;
/// # }
/// ```
pub struct Client {
    connection: ClientEnd,
    /// Frames that were received but not returned yet, oldest first.
    buffered: VecDeque<Frame>,
    /// The reason of the server's close frame, once it has arrived.
    close_reason: Option<String>,
    calls: u64,
    pings: usize,
}

/// A frame that the client returns to the test.
enum Frame {
    Text(FrameText),
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
    pub(super) fn new(connection: ClientEnd) -> Client {
        Client { connection, buffered: VecDeque::new(), close_reason: None, calls: 0, pings: 0 }
    }

    /// Sends a text frame unchanged. Does nothing if the connection is closed.
    pub fn send(&mut self, text: impl Into<String>) {
        // If the connection is closed, the method that waits for the reply panics.
        let _ = self.connection.to_server.send(ClientFrame::Text(text.into()));
    }

    /// Sends an empty binary frame. Does nothing if the connection is closed.
    pub fn send_binary(&mut self) {
        let _ = self.connection.to_server.send(ClientFrame::Binary);
    }

    /// Returns the next message, either a reply or an event; kept messages come first.
    ///
    /// # Panics
    ///
    /// Panics if the connection is closed instead, or if no message arrives within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped.
    pub async fn reply(&mut self) -> Reply {
        into_reply(self.take_frame().await)
    }

    /// Returns the next event; kept events come first. Frames before it are kept.
    ///
    /// # Panics
    ///
    /// Panics if the connection is closed instead, or if no event arrives within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped: frames received so far are kept.
    pub async fn event(&mut self) -> Reply {
        self.receive_matching(0, |message| message.get("event").is_some()).await
    }

    /// Returns the data of the next event with this name; kept events come first. Frames before it are kept, also events with
    /// other names.
    ///
    /// ```standalone_crate
    /// use portcullis::testing::connect;
    /// use portcullis::{AllowAny, Context, Event, Group, Result, consumer};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
    /// struct Lobby;
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize, Event)]
    /// struct Said { text: String }
    ///
    /// struct Chat;
    ///
    /// #[consumer]
    /// impl Chat {
    ///     #[action(permission = AllowAny)]
    ///     async fn enter(&self, cx: &Context<'_, ()>) -> Result<()> { cx.join(Lobby).await }
    ///
    ///     #[event(permission = AllowAny)]
    ///     fn said(event: &Said) -> &Said { event }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let chat = portcullis::websocket(Chat);
    /// let mut client = connect(&chat).open().await.unwrap();
    /// assert_eq!(client.call("enter").await.status(), 200);
    /// chat.publisher().publish(&Lobby, Said { text: "hi".to_owned() });
    /// assert_eq!(client.event_as::<Said>("said").await, Said { text: "hi".to_owned() });
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the data cannot be deserialized as `T`, if the connection is closed instead, or if no such event arrives
    /// within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped: frames received so far are kept.
    pub async fn event_as<T: DeserializeOwned>(&mut self, name: &str) -> T {
        self.receive_matching(0, |message| message["event"] == name).await.data_as()
    }

    /// Asserts that no frame was kept and that none arrives within 50 ms of the runtime's clock. Pings are ignored. It
    /// passes after the close has been returned by [`closed`](Client::closed).
    ///
    /// With a paused clock, all tasks of the runtime are idle by then. With a running clock, 50 ms may be too short for a
    /// frame that another thread sends: instead, trigger a frame that the client may receive, and assert that
    /// [`reply`](Client::reply) returns it first.
    ///
    /// # Panics
    ///
    /// Panics if there is a frame, which the message quotes, or if the connection ends without a close frame.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped.
    pub async fn expect_silence(&mut self) {
        if let Some(frame) = self.buffered.front() {
            panic!("expected silence, but received {frame}");
        }
        if let Ok(Some(frame)) = timeout(SILENCE_DURATION, self.receive_frame()).await {
            panic!("expected silence, but received {frame}");
        }
    }

    /// Waits until the connection is closed and returns the close code. Kept frames come first.
    ///
    /// # Panics
    ///
    /// Panics if a message comes before the close (the panic quotes it), if the connection ends without a close frame, or
    /// if no frame arrives within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped.
    pub async fn closed(&mut self) -> u16 {
        match self.take_frame().await {
            Frame::Close(code) => code,
            frame @ Frame::Text(_) => panic!("expected a close, but received {frame}"),
        }
    }

    /// Sends a close frame with code 1000 after everything that was sent, waits for the end of the connection, and returns
    /// the messages that were not returned before, kept ones first, with the close code of the server's frame. That code is
    /// 1000, unless the server closes the connection itself.
    ///
    /// # Panics
    ///
    /// Panics if the close of the server was returned before, if the connection ends without a close frame, or if no frame
    /// arrives within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the client is dropped: the connection ends, with or without the close frame.
    pub async fn close(mut self) -> (Vec<Reply>, u16) {
        // If the connection is closed, the close of the server is among the frames to come.
        let _ = self.connection.to_server.send(ClientFrame::Close);
        let mut messages = Vec::new();
        loop {
            match self.take_frame().await {
                Frame::Close(code) => return (messages, code),
                frame @ Frame::Text(_) => messages.push(into_reply(frame)),
            }
        }
    }

    /// Returns the reason of the server's close frame, or `None` if none has arrived. Empty if the frame has no reason.
    ///
    /// ```standalone_crate
    /// use portcullis::testing::connect;
    /// use portcullis::{AllowAny, CloseCode, Context, Result, consumer};
    ///
    /// struct Chat;
    ///
    /// #[consumer]
    /// impl Chat {
    ///     #[action(permission = AllowAny)]
    ///     async fn quit(&self, cx: &Context<'_, ()>) -> Result<()> { cx.close(CloseCode::NORMAL, "bye") }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut client = connect(&portcullis::websocket(Chat)).open().await.unwrap();
    /// assert_eq!(client.call("quit").await.status(), 200);
    /// assert_eq!((client.closed().await, client.close_reason()), (1000, Some("bye")));
    /// # }
    /// ```
    pub fn close_reason(&self) -> Option<&str> {
        self.close_reason.as_deref()
    }

    /// Returns the number of pings received so far. Pings are received while a method waits for a frame.
    pub fn pings(&self) -> usize {
        self.pings
    }

    /// Returns the first message for which `is_wanted` returns `true`, from the kept frames starting at index `first` and
    /// then from new frames. The other frames are kept.
    pub(super) async fn receive_matching(&mut self, first: usize, is_wanted: impl Fn(&Value) -> bool) -> Reply {
        let (mut at, end) = (first, Instant::now() + FRAME_TIMEOUT);
        loop {
            if at == self.buffered.len() {
                let frame = self.receive_before(end).await;
                self.buffered.push_back(frame);
            }
            let found = match &self.buffered[at] {
                Frame::Text(text) => is_wanted(Reply::new(text.to_string()).value()),
                Frame::Close(_) => true,
            };
            if found && let Some(frame) = self.buffered.remove(at) {
                return into_reply(frame);
            }
            at += 1;
        }
    }

    /// Returns the oldest kept frame, or receives a new one.
    async fn take_frame(&mut self) -> Frame {
        match self.buffered.pop_front() {
            Some(frame) => frame,
            None => self.receive_before(Instant::now() + FRAME_TIMEOUT).await,
        }
    }

    /// Counts a call and returns its number, from 1.
    pub(super) fn count_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// Returns the number of kept frames.
    pub(super) fn kept_frames(&self) -> usize {
        self.buffered.len()
    }

    /// Receives the next new frame. Panics if none arrives before `deadline`.
    async fn receive_before(&mut self, deadline: Instant) -> Frame {
        let frame = timeout_at(deadline, self.receive_frame()).await;
        frame.expect("no frame arrived in time").expect("the connection is closed")
    }

    /// Receives a frame. Returns `None` after a close frame. Cancel-safe.
    async fn receive_frame(&mut self) -> Option<Frame> {
        loop {
            match self.connection.from_server.recv().await {
                Some(ServerFrame::Ping) => self.pings += 1,
                Some(ServerFrame::Text(text)) => return Some(Frame::Text(text)),
                Some(ServerFrame::Close(CloseFrame { code, text })) => {
                    self.close_reason = Some(text.into_owned());
                    return Some(Frame::Close(code));
                }
                None if self.close_reason.is_some() => return None,
                None => panic!("the connection ended without a close"),
            }
        }
    }
}

fn into_reply(frame: Frame) -> Reply {
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
