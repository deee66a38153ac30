//! The events that wait for one connection, and what is given up of them.

use std::collections::VecDeque;

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, take_superseded};
use crate::transport::{CloseCode, Text};

/// What waits, in order, under the mailbox's lock.
pub(crate) struct QueueState<N> {
    pub(crate) events: VecDeque<QueueEntry<N>>,
    pub(crate) bytes: usize,
    /// The place of the next one.
    pub(crate) next_sequence: u64,
    pub(crate) dropped: u64,
    pub(crate) close_code: Option<CloseCode>,
    pub(crate) has_ended: bool,
    /// Publishing connections that are held until the reader has run.
    pub(crate) paused_publishers: PausedPublishers,
}

/// An event that waits.
pub(crate) struct QueueEntry<N> {
    pub(crate) sequence: u64,
    pub(crate) frame: Text,
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
            has_ended: false,
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
                let superseded = take_superseded(&mut self.events, |entry| entry.handle.coalescing_key());
                self.bytes -= superseded.iter().map(|entry| entry.frame.len()).sum::<usize>();
                superseded
            }
        };
        self.dropped += discarded.len() as u64;
        discarded
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.has_ended || self.close_code.is_some()
    }
}
