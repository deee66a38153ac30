//! The events that wait for one connection, and what is given up of them.

use std::collections::VecDeque;

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, superseded};
use crate::transport::{CloseCode, FrameText};

/// What waits, in order, under the mailbox's lock.
pub(crate) struct QueueState<N> {
    pub(crate) events: VecDeque<QueueEntry<N>>,
    pub(crate) bytes: usize,
    /// The place of the next one.
    pub(crate) next: u64,
    pub(crate) dropped: u64,
    pub(crate) end: Option<CloseCode>,
    pub(crate) closed: bool,
    /// Publishing connections that are held until the reader has run.
    pub(crate) holds: PausedPublishers,
}

/// An event that waits.
pub(crate) struct QueueEntry<N> {
    pub(crate) place: u64,
    pub(crate) frame: FrameText,
    pub(crate) note: N,
}

impl<N: Coalesce> QueueState<N> {
    pub(crate) fn new() -> QueueState<N> {
        QueueState {
            events: VecDeque::new(),
            bytes: 0,
            next: 0,
            dropped: 0,
            end: None,
            closed: false,
            holds: PausedPublishers::default(),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<QueueEntry<N>> {
        let oldest = self.events.pop_front()?;
        self.bytes -= oldest.frame.len();
        Some(oldest)
    }

    /// Drops what the policy gives up. Nothing where it gives up the connection.
    pub(crate) fn give_up(&mut self, policy: OverflowPolicy) -> Vec<QueueEntry<N>> {
        let given_up = match policy {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => self.pop().into_iter().collect(),
            OverflowPolicy::KeepNewest => {
                let superseded = superseded(&mut self.events, |letter| letter.note.stands_for());
                self.bytes -= superseded.iter().map(|letter| letter.frame.len()).sum::<usize>();
                superseded
            }
        };
        self.dropped += given_up.len() as u64;
        given_up
    }

    pub(crate) fn is_over(&self) -> bool {
        self.closed || self.end.is_some()
    }
}
