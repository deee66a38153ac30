//! Event holds: events wait in the send queue until the reply of the action that caused them is out.
//!
//! When the side effects of an action have taken effect, the events of groups that it joined and its own publications are
//! queued behind the sequence number of its reply, see [`Completion`](super::completion::Completion). From then until the
//! reply is written, a hold keeps the event loop from delivering them.

/// The replies that the queued events of one connection wait for.
#[derive(Debug, Default)]
pub(super) struct EventHolds {
    /// Whether they wait for a reply of the in-order queue.
    is_held_in_order: bool,
    /// The number of replies of detached tasks that they wait for.
    detached: usize,
}

impl EventHolds {
    /// Returns whether queued events must wait.
    #[inline]
    pub(super) fn is_holding(&self) -> bool {
        self.is_held_in_order || self.detached > 0
    }

    /// Returns whether they wait for a reply of the in-order queue. Until it is written, no reply of a detached task is sent,
    /// because events that must follow the first could precede the second.
    #[inline]
    pub(super) fn is_held_in_order(&self) -> bool {
        self.is_held_in_order
    }

    pub(super) fn set_held_in_order(&mut self, is_held: bool) {
        self.is_held_in_order = is_held;
    }

    pub(super) fn set_detached(&mut self, detached: usize) {
        self.detached = detached;
    }

    /// Counts the hold of one detached reply, which begins, lasts or ends.
    pub(super) fn update_detached(&mut self, was_held: bool, is_held: bool) {
        self.detached = self.detached.saturating_sub(usize::from(was_held)) + usize::from(is_held);
    }
}
