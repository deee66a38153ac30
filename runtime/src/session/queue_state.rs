//! The state of a send queue under its lock, and how overflow changes it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, take_superseded};
use crate::transport::{CloseReason, EventFrame, SocketWriter};

/// The task of the connection delivers.
pub(super) const TASK: u8 = 0;
/// The task is parked. The first event moves the session to the flusher.
pub(super) const PARKED: u8 = 1;
/// The task is parked, and the flusher has the session or is about to get it.
pub(super) const QUEUED: u8 = 2;

/// The queued events in order, protected by `SendQueue::state`.
pub(crate) struct QueueState<N> {
    pub(crate) events: VecDeque<QueueEntry<N>>,
    /// The total length of the queued frames, in bytes.
    pub(crate) bytes: usize,
    /// The sequence number of the next event.
    pub(crate) next_sequence: u64,
    /// The number of events that the overflow policy has dropped.
    pub(crate) dropped: u64,
    /// The reason why the connection is to close, or `None` if it stays open.
    pub(crate) close_reason: Option<CloseReason>,
    /// Whether the connection has ended.
    pub(crate) has_ended: bool,
    /// The publishers that are held until the reader has run.
    pub(crate) paused_publishers: PausedPublishers,
    /// The socket that the flusher writes to. `None` if only the task of the connection can write. Boxed, because it is not
    /// read when events are queued.
    pub(crate) socket: Option<Box<ParkedSocket>>,
}

/// What the flusher needs of a connection whose task is parked.
pub(crate) struct ParkedSocket {
    pub(crate) writer: Arc<dyn SocketWriter>,
    /// The rest of a frame of which the flusher could write only a part. The task of the connection sends it.
    pub(crate) unsent: Vec<u8>,
    /// When the connection closes, see `ConnectionIo::expiry`.
    pub(crate) expiry: Option<Instant>,
}

/// A queued event.
pub(crate) struct QueueEntry<N> {
    pub(crate) sequence: u64,
    pub(crate) frame: EventFrame,
    pub(crate) handle: N,
}

impl<N: Coalesce> QueueState<N> {
    pub(crate) fn new() -> QueueState<N> {
        QueueState {
            events: VecDeque::new(),
            bytes: 0,
            next_sequence: 0,
            dropped: 0,
            close_reason: None,
            has_ended: false,
            paused_publishers: PausedPublishers::default(),
            socket: None,
        }
    }

    /// Removes and returns the oldest event.
    pub(crate) fn pop(&mut self) -> Option<QueueEntry<N>> {
        let oldest = self.events.pop_front()?;
        self.bytes -= oldest.frame.len();
        Some(oldest)
    }

    /// Removes and returns the events that the overflow policy drops. Empty if the policy closes the connection instead.
    pub(crate) fn apply_overflow(&mut self, overflow_policy: OverflowPolicy) -> Vec<QueueEntry<N>> {
        let discarded = match overflow_policy {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => self.pop().into_iter().collect(),
            OverflowPolicy::KeepNewest => {
                let superseded = take_superseded(&mut self.events, |entry| &entry.handle);
                self.bytes -= superseded.iter().map(|entry| entry.frame.len()).sum::<usize>();
                superseded
            }
        };
        self.dropped += discarded.len() as u64;
        discarded
    }

    /// Returns whether the queue accepts no further event.
    pub(crate) fn is_closed(&self) -> bool {
        self.has_ended || self.close_reason.is_some()
    }
}
