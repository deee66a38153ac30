//! The reply buffer: each connection has one, and the data of each reply is serialized directly into it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use super::{Echo, OwnedEcho};
use crate::error::{Error, Result};
use crate::panic::ContainedSpan;

/// Maximum capacity that the buffer of an idle connection keeps, in bytes.
const MAX_IDLE_CAPACITY: usize = 1024;
/// Capacity that is reserved for a reply before its length is known, in bytes.
const INITIAL_CAPACITY: usize = 256;

/// The values of a stream, each of which becomes one reply.
pub(crate) trait Values: Send {
    /// Writes the next value into `reply`. Returns `None` after the last value.
    fn poll_value(self: Pin<&mut Self>, cx: &mut Context<'_>, reply: &mut Reply) -> Poll<Option<Result<()>>>;
}

/// The destination of the value that an action returns, for implementations of [`IntoReply`](crate::IntoReply).
///
/// A type with a status of its own implements `IntoReply` with a marker type of its own:
///
/// ```
/// use portcullis::{AllowAny, IntoReply, Reply, Result, StatusCode, consumer};
///
/// /// A reply with status 202 and the id of a job as data.
/// struct Queued(u64);
///
/// struct QueuedMarker;
///
/// impl IntoReply<QueuedMarker> for Queued {
///     fn into_reply(self, reply: &mut Reply) -> Result<()> { reply.data(StatusCode::ACCEPTED, &self.0) }
/// }
///
/// struct Jobs;
///
/// #[consumer]
/// impl Jobs {
///     #[action(permission = AllowAny)]
///     async fn run(&self) -> Queued { Queued(7) }
/// }
/// ```
pub struct Reply {
    buffer: Vec<u8>,
    status: StatusCode,
    is_silent: bool,
    /// Index of the first byte of the data.
    data_start: usize,
    /// The stream whose values are sent instead of this reply.
    values: Option<Pin<Box<dyn Values>>>,
    /// What the replies of that stream have in common.
    stream_head: Option<Box<StreamHead>>,
}

/// A stream of replies.
pub(crate) struct ReplyStream {
    pub(crate) values: Pin<Box<dyn Values>>,
    pub(crate) head: Box<StreamHead>,
}

impl ReplyStream {
    /// Records the status of the last reply for what observes the stream.
    pub(crate) fn record_status(&mut self, status: StatusCode) {
        if let Some(observation) = &mut self.head.observation {
            observation.record_status(status);
        }
    }
}

/// Observes the stream of an action until it is dropped.
pub(crate) trait StreamObservation: Send {
    /// Returns the span in which the values are awaited, if it is enabled.
    fn span(&self) -> Option<&ContainedSpan>;

    /// Records the status of the last reply.
    fn record_status(&mut self, status: StatusCode);
}

/// What the replies of a stream have in common.
pub(crate) struct StreamHead {
    /// What each reply echoes of the message.
    pub(crate) echo: OwnedEcho,
    /// The time limit of each value.
    pub(crate) time_limit: Duration,
    pub(crate) observation: Option<Box<dyn StreamObservation>>,
}

impl Reply {
    pub(crate) fn new() -> Reply {
        Reply {
            buffer: Vec::new(),
            status: StatusCode::OK,
            is_silent: false,
            data_start: 0,
            values: None,
            stream_head: None,
        }
    }

    /// Starts a new reply with the text in front of its data. Discards the previous reply.
    pub(crate) fn restart(&mut self, prefix: &'static [u8]) {
        self.buffer.clear();
        self.buffer.reserve(INITIAL_CAPACITY);
        self.buffer.extend_from_slice(prefix);
        self.data_start = self.buffer.len();
        self.status = StatusCode::OK;
        self.is_silent = false;
        self.values = None;
    }

    /// Writes the status and the data of a successful reply. Replaces data that was written before.
    ///
    /// # Errors
    ///
    /// Returns a fault (500, `internal_error`) if the status is not between 200 and 299, or if the data cannot be
    /// serialized as JSON. To reply with an error, return it.
    pub fn data<T: Serialize + ?Sized>(&mut self, status: StatusCode, data: &T) -> Result<()> {
        if !status.is_success() {
            return Err(Error::internal(format!("data with status {status}; return an error instead")));
        }
        self.buffer.truncate(self.data_start);
        self.status = status;
        serde_json::to_writer(&mut self.buffer, data).map_err(Error::internal)
    }

    /// Returns whether no data was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.len() == self.data_start
    }

    /// Suppresses the reply: nothing is sent. An error of the action is sent nevertheless.
    pub fn nothing(&mut self) {
        self.is_silent = true;
    }

    /// Sends the values of a stream instead of this reply.
    pub(crate) fn set_values(&mut self, values: Pin<Box<dyn Values>>) {
        self.values = Some(values);
    }

    /// Keeps what the replies of the stream have in common, after the message is gone.
    #[cold]
    pub(crate) fn set_stream_head(&mut self, echo: &Echo<'_>, time_limit: Duration) {
        self.stream_head = Some(Box::new(StreamHead { echo: echo.to_owned_echo(), time_limit, observation: None }));
    }

    /// Sets what observes the stream until it ends, if the reply is one.
    pub(crate) fn observe_stream(&mut self, observe: impl FnOnce() -> Box<dyn StreamObservation>) {
        if let Some(head) = &mut self.stream_head {
            head.observation = Some(observe());
        }
    }

    /// Sets the time limit of each value, if the reply is a stream.
    pub(crate) fn set_stream_time_limit(&mut self, time_limit: Duration) {
        if let Some(head) = &mut self.stream_head {
            head.time_limit = time_limit;
        }
    }

    /// Takes the stream of replies that is sent instead of this reply.
    pub(crate) fn take_stream(&mut self) -> Option<ReplyStream> {
        let head = self.stream_head.take()?;
        self.values.take().map(|values| ReplyStream { values, head })
    }

    /// Takes the stream whose values are sent instead of this reply.
    pub(crate) fn take_values(&mut self) -> Option<Pin<Box<dyn Values>>> {
        self.values.take()
    }

    /// Returns whether a stream of replies is sent instead of this reply.
    #[inline]
    pub(crate) fn is_stream(&self) -> bool {
        self.values.is_some()
    }

    /// Records the status of an error, which the caller writes.
    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.status = status;
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Cannot fail: the callers pass text and numbers only, and the buffer is in memory.
        let _ = serde_json::to_writer(&mut self.buffer, value);
    }

    /// Returns the text of the reply.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.buffer).expect("bug: reply is not UTF-8")
    }

    /// Frees the buffer if a long reply has grown it. Called when the connection becomes idle.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.capacity() > MAX_IDLE_CAPACITY {
            self.buffer = Vec::new();
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
