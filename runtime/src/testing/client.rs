//! The client's end of an in-process connection.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::Reply;
use crate::transport::memory::{ClientFrame, ServerFrame, Wire};

/// How long a test waits for a frame before it fails.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long silence must last. With a paused clock it takes no time.
const SILENCE: Duration = Duration::from_millis(50);

/// A connected client. The connection ends when it is dropped.
pub struct Client {
    wire: Wire,
    calls: u64,
    pings: usize,
}

impl Client {
    pub(super) fn new(wire: Wire) -> Client {
        Client { wire, calls: 0, pings: 0 }
    }

    /// Calls an action: `client.call("send").route("rooms/5/").with("text", "hi").await`.
    ///
    /// Awaiting it sends the message with a `request_id` and gives the reply that carries it.
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

    /// The next frame, pings left out.
    ///
    /// # Panics
    ///
    /// When the connection is closed instead, or nothing comes for five minutes of the runtime's clock.
    pub async fn reply(&mut self) -> Reply {
        match self.next().await {
            Some(ServerFrame::Text(text)) => Reply::new(text.to_string()),
            Some(ServerFrame::Close(code)) => panic!("the connection was closed with {code}"),
            Some(ServerFrame::Ping) | None => panic!("the connection is gone"),
        }
    }

    /// Nothing comes.
    ///
    /// # Panics
    ///
    /// When something does within 50 ms of the runtime's clock.
    pub async fn expect_silence(&mut self) {
        if let Ok(Some(frame)) = timeout(SILENCE, self.wire.from_server.recv()).await {
            panic!("silence was expected, but there came {frame:?}");
        }
    }

    /// Waits until the connection is closed, and gives the code.
    ///
    /// # Panics
    ///
    /// When a message comes instead, or the connection ends without a code.
    pub async fn closed(&mut self) -> u16 {
        match self.next().await {
            Some(ServerFrame::Close(code)) => code,
            other => panic!("a close was expected, but there came {other:?}"),
        }
    }

    /// How many pings came in front of the frames that were read.
    pub fn pings(&self) -> usize {
        self.pings
    }

    async fn next(&mut self) -> Option<ServerFrame> {
        loop {
            let frame = timeout(PATIENCE, self.wire.from_server.recv()).await.expect("nothing came");
            match frame {
                Some(ServerFrame::Ping) => self.pings += 1,
                other => return other,
            }
        }
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
        Box::pin(async move {
            loop {
                let reply = self.client.reply().await;
                if reply.value()["request_id"] == id {
                    return reply;
                }
            }
        })
    }
}

impl fmt::Debug for Calling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calling").field(&self.message).finish()
    }
}
