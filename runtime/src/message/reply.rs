//! The reply that is being written: one buffer for all replies of a connection, the data of each serialized straight into it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;
use serde::Serialize;

use super::{OwnEpochs, SideEffect};
use crate::error::{Error, Result};

/// How much of the buffer an idle connection keeps.
const MAX_IDLE_CAPACITY: usize = 1024;
/// What a reply asks for before it is known how long it gets.
const INITIAL_CAPACITY: usize = 256;

/// What an action answers one after the other.
pub(crate) trait Values: Send {
    /// Writes the next value. `None`: there is none any more.
    fn poll_value(self: Pin<&mut Self>, cx: &mut Context<'_>, reply: &mut Reply) -> Poll<Option<Result<()>>>;
}

/// Where an action's result goes. Only [`IntoReply`](crate::IntoReply) implementations see it.
pub struct Reply {
    buffer: Vec<u8>,
    status: StatusCode,
    is_silent: bool,
    /// Where the data begins.
    data_start: usize,
    /// What is to come instead of this reply.
    values: Option<Pin<Box<dyn Values>>>,
    /// What the action causes beside.
    effects: Vec<SideEffect>,
    /// What the action changes itself of what its caller may do.
    own_changes: Option<OwnEpochs>,
}

impl Reply {
    pub(crate) fn new() -> Reply {
        Reply {
            buffer: Vec::new(),
            status: StatusCode::OK,
            is_silent: false,
            data_start: 0,
            values: None,
            effects: Vec::new(),
            own_changes: None,
        }
    }

    /// Starts over: whatever was written since the last reply was taken is gone.
    pub(crate) fn restart(&mut self, prefix: &'static [u8]) {
        self.buffer.clear();
        self.buffer.reserve(INITIAL_CAPACITY);
        self.buffer.extend_from_slice(prefix);
        self.data_start = self.buffer.len();
        self.status = StatusCode::OK;
        self.is_silent = false;
        self.values = None;
        self.effects.clear();
        self.own_changes = None;
    }

    /// Writes the data of a successful reply, in place of any written before. A status outside 200–299 is a fault:
    /// errors are returned, not written.
    pub fn data<T: Serialize + ?Sized>(&mut self, status: StatusCode, data: &T) -> Result<()> {
        if !status.is_success() {
            return Err(Error::internal(format!("data with status {status}; return an error instead")));
        }
        self.buffer.truncate(self.data_start);
        self.status = status;
        serde_json::to_writer(&mut self.buffer, data).map_err(Error::internal)
    }

    /// Whether there is data yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.len() == self.data_start
    }

    /// Answers nothing at all.
    pub fn nothing(&mut self) {
        self.is_silent = true;
    }

    /// Answers with these, one after the other.
    pub(crate) fn set_values(&mut self, values: Pin<Box<dyn Values>>) {
        self.values = Some(values);
    }

    /// What is to come instead of this reply.
    pub(crate) fn take_values(&mut self) -> Option<Pin<Box<dyn Values>>> {
        self.values.take()
    }

    /// This is to happen around the reply, and the action changes that of what its caller may do.
    pub(crate) fn cause(&mut self, effects: Vec<SideEffect>, own_changes: Option<OwnEpochs>) {
        self.effects = effects;
        self.own_changes = own_changes;
    }

    /// Whether it is all that its action gives: none follows it, nothing is caused, and its caller may do what it could before.
    #[inline]
    pub(crate) fn is_all(&self) -> bool {
        self.values.is_none() && self.effects.is_empty() && self.own_changes.is_none()
    }

    /// What it changes.
    pub(crate) fn take_own_changes(&mut self) -> Option<OwnEpochs> {
        self.own_changes.take()
    }

    /// What is to happen around the reply.
    pub(crate) fn take_effects(&mut self) -> Vec<SideEffect> {
        std::mem::take(&mut self.effects)
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
        // Only text and numbers of ours come here: they cannot fail, and a buffer in memory cannot either.
        let _ = serde_json::to_writer(&mut self.buffer, value);
    }

    /// What was written.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.buffer).expect("JSON is UTF-8")
    }

    /// Gives back the memory of long replies. To be called when the connection has nothing more to do.
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
