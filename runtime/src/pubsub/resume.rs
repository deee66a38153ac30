//! Resuming a group: the events after a position are replayed to a session, and those that follow are delivered, each once and in
//! order.
//!
//! The join is authorized first ([`join_from`](super::join_from)). From then on the events of the group are collected; the log is
//! read, and when the join takes effect, what was read and collected is handed to the revalidator of the session, in front of what
//! is delivered from then on. The revalidator evaluates the permission of each event on the rights of that moment.

use std::sync::{Arc, Mutex};

use super::event::Emits;
use super::history_feed::{AnyEvent, Feed, PendingResume, ResumeHandle};
use super::outgoing_event::OutgoingEvent;
use super::position::{EventPosition, PositionKey};
use super::publication::Publication;
use crate::broker::{EventMessage, LogId, LogPosition};
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::panic::log_entry;
use crate::session::delivery_path::OwnedDeliveryPath;
use crate::session::membership::Membership;
use crate::session::queued_event::EventHandle;
use crate::session::session::Session;
use crate::sync::ignore_poison;
use crate::transport::CloseReason;

/// A join that replays events.
pub(super) struct Resume<C: Consumer> {
    pub(super) handle: ResumeHandle<C>,
    /// The id of the user for whom the events were chosen.
    pub(super) user_id: Option<String>,
    /// The position up to which events were read. `None` if they could not be read.
    pub(super) end: Option<LogPosition>,
    pub(super) replayed: Vec<AnyEvent<C>>,
}

impl<C: Consumer> Resume<C> {
    /// Replays the events to a session that has just joined, under the lock of the feed. Returns what is left of the collected
    /// events, which the caller drops after it has released the lock. Without a membership, the session has ended.
    pub(super) fn take_effect(
        &mut self,
        feed: &mut Feed<C>,
        session: &Arc<Session<C>>,
        membership: Option<&Arc<Membership>>,
    ) -> Option<PendingResume<C>> {
        let mut pending = feed.end_resume(&mut self.handle)?;
        let Some(membership) = membership else { return Some(pending) };
        // For another user, `since` might have returned another time.
        if pending.is_incomplete || session.user_id() != self.user_id.as_deref() {
            // The reply has promised what would be missing or repeated. The client connects again and resumes.
            log_entry!(
                WARN,
                "connection closed: the events with which it resumes a group are incomplete, or not for its user"
            );
            session.close_with(CloseReason::TooSlow);
            return Some(pending);
        }
        if let Some(end) = self.end {
            let _ = membership.resumed_at.set(Box::new(end));
        }
        // Those before have been read from the log.
        let first_new = pending.events.iter().position(|(position, _)| !membership.has_had(*position));
        self.replayed.extend(pending.events.drain(first_new.unwrap_or(pending.events.len())..).map(|(_, event)| event));
        let path = || OwnedDeliveryPath::Group(membership.clone());
        let handles = self.replayed.iter().map(|event| EventHandle::replayed(event.clone(), path()));
        session.push_replayed(handles);
        Some(pending)
    }
}

/// Receives the events of a log that are replayed, see [`receive_event`](super::receive_event).
pub(super) struct Replay<C: Consumer> {
    pub(super) key: Option<Arc<PositionKey>>,
    pub(super) log: LogId,
    pub(super) group_name: Option<Arc<str>>,
    pub(super) session: ConnectionId,
    pub(super) events: Mutex<Vec<AnyEvent<C>>>,
}

impl<C: Consumer> Replay<C> {
    /// Adds an event, unless it was not for this connection.
    pub(super) fn push<E>(&self, message: &EventMessage<'_>, event: OutgoingEvent<E>)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(position) = message.position else { return };
        let at = EventPosition::new(self.key.clone(), self.log.name(), position);
        if message.except != Some(self.session) {
            ignore_poison(self.events.lock()).push(Publication::at_position(event, self.group_name.clone(), at));
        }
    }
}
