//! The events that wait for one connection, and what is given up of them.

use std::collections::VecDeque;

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, take_superseded};
use crate::transport::{CloseCode, FrameText};

/// What waits, in order, under the mailbox's lock.
pub(crate) struct QueueState<N> {
    pub(crate) events: VecDeque<QueueEntry<N>>,
    pub(crate) bytes: usize,
    /// The place of the next one.
    pub(crate) next_sequence: u64,
    pub(crate) dropped: u64,
    pub(crate) close_code: Option<CloseCode>,
    pub(crate) closed: bool,
    /// Publishing connections that are held until the reader has run.
    pub(crate) paused_publishers: PausedPublishers,
}

/// An event that waits.
pub(crate) struct QueueEntry<N> {
    pub(crate) sequence: u64,
    pub(crate) frame: FrameText,
    pub(crate) handle: N,
}

impl<N: Coalesce> QueueState<N> {
    pub(crate) fn new() -> QueueState<N> {
        QueueState {
            events: VecDeque::new(),
            bytes: 0,
            next_sequence: 0,
            dropped: 0,
            close_code: None,
            closed: false,
            paused_publishers: PausedPublishers::default(),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<QueueEntry<N>> {
        let oldest = self.events.pop_front()?;
        self.bytes -= oldest.frame.len();
        Some(oldest)
    }

    /// Drops what the policy gives up. Nothing where it gives up the connection.
    pub(crate) fn apply_overflow(&mut self, overflow_policy: OverflowPolicy) -> Vec<QueueEntry<N>> {
        let discarded = match overflow_policy {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => self.pop().into_iter().collect(),
            OverflowPolicy::KeepNewest => {
                let take_superseded = take_superseded(&mut self.events, |letter| letter.handle.coalescing_key());
                self.bytes -= take_superseded.iter().map(|letter| letter.frame.len()).sum::<usize>();
                take_superseded
            }
        };
        self.dropped += discarded.len() as u64;
        discarded
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.close_code.is_some()
    }
}
