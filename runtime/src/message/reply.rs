//! The reply that is being written: one buffer for all replies of a connection, the data of each serialized straight into it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;
use serde::Serialize;

use crate::error::{Error, Result};

/// How much of the buffer an idle connection keeps.
const KEPT: usize = 1024;
/// What a reply asks for before it is known how long it gets.
const ROOM: usize = 256;

/// What an action answers one after the other.
pub(crate) trait Values: Send {
    /// Writes the next value. `None`: there is none any more.
    fn poll_value(self: Pin<&mut Self>, cx: &mut Context<'_>, reply: &mut Reply) -> Poll<Option<Result<()>>>;
}

/// Where an action's result goes. Only [`IntoReply`](crate::IntoReply) implementations see it.
pub struct Reply {
    out: Vec<u8>,
    status: StatusCode,
    silent: bool,
    /// Where the data begins.
    data: usize,
    /// What is to come instead of this reply.
    values: Option<Pin<Box<dyn Values>>>,
}

impl Reply {
    pub(crate) fn new() -> Reply {
        Reply { out: Vec::new(), status: StatusCode::OK, silent: false, data: 0, values: None }
    }

    /// Starts over: whatever was written since the last reply was taken is gone.
    pub(crate) fn restart(&mut self, before: &'static [u8]) {
        self.out.clear();
        self.out.reserve(ROOM);
        self.out.extend_from_slice(before);
        self.data = self.out.len();
        self.status = StatusCode::OK;
        self.silent = false;
        self.values = None;
    }

    /// Writes the data of a successful reply, in place of any written before. A status outside 200–299 is a fault:
    /// errors are returned, not written.
    pub fn data<T: Serialize + ?Sized>(&mut self, status: StatusCode, data: &T) -> Result<()> {
        if !status.is_success() {
            return Err(Error::internal(format!("data with status {status}; return an error instead")));
        }
        self.out.truncate(self.data);
        self.status = status;
        serde_json::to_writer(&mut self.out, data).map_err(Error::internal)
    }

    /// Whether there is data yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.len() == self.data
    }

    /// Answers nothing at all.
    pub fn nothing(&mut self) {
        self.silent = true;
    }

    /// Answers with these, one after the other.
    pub(crate) fn follow(&mut self, values: Pin<Box<dyn Values>>) {
        self.values = Some(values);
    }

    /// What is to come instead of this reply.
    pub(crate) fn take_values(&mut self) -> Option<Pin<Box<dyn Values>>> {
        self.values.take()
    }

    /// Returns whether a stream of replies is to follow instead of this reply.
    #[inline]
    pub(crate) fn is_stream(&self) -> bool {
        self.values.is_some()
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Only text and numbers of ours come here: they cannot fail, and a buffer in memory cannot either.
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    /// What was written.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.out).expect("JSON is UTF-8")
    }

    /// Gives back the memory of long replies. To be called when the connection has nothing more to do.
    pub(crate) fn shrink(&mut self) {
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
