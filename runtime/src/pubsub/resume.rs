//! Resuming a group: the events after a position are replayed to a session, and those that follow are delivered, each once and in
//! order.
//!
//! The join is authorized first ([`join_from`](super::join_from)). From then on the events of the group are collected; the log is
//! read, and when the join takes effect, what was read and collected is handed to the revalidator of the session, in front of what
//! is delivered from then on. The revalidator evaluates the permission of each event on the rights of that moment.

use std::sync::{Arc, Mutex};

use super::event::Emits;
use super::history_feed::{AnyEvent, PendingResume, ResumeHandle};
use super::outgoing_event::OutgoingEvent;
use super::position::{EventPosition, PositionKey};
use super::publication::Publication;
use crate::broker::{EventMessage, LogId, LogPosition};
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::log::Truncated;
use crate::panic::log_entry;
use crate::session::delivery_path::OwnedDeliveryPath;
use crate::session::membership::Membership;
use crate::session::queued_event::EventHandle;
use crate::session::replay_budget::{ReplayBudget, ReplayPermit};
use crate::session::session::Session;
use crate::sync::ignore_poison;
use crate::transport::CloseReason;

/// An event that is replayed.
pub(super) type ReplayedEvent<C> = (AnyEvent<C>, Arc<ReplayPermit>);

/// A join that replays events.
pub(super) struct Resume<C: Consumer> {
    pub(super) handle: ResumeHandle<C>,
    /// The id of the user for whom the events were chosen.
    pub(super) user_id: Option<String>,
    /// The position up to which events were read. `None` if they could not be read.
    pub(super) end: Option<LogPosition>,
    pub(super) replayed: Vec<ReplayedEvent<C>>,
}

impl<C: Consumer> Resume<C> {
    /// Replays the events to a session that has just joined, under the lock of the feed, which `collected` comes from. Without a
    /// membership, the session has ended.
    pub(super) fn take_effect(
        &mut self,
        collected: &mut PendingResume<C>,
        session: &Arc<Session<C>>,
        membership: Option<&Arc<Membership>>,
    ) {
        let Some(membership) = membership else { return };
        // For another user, `since` might have returned another time.
        if collected.is_incomplete || session.user_id() != self.user_id.as_deref() {
            if self.end.is_some() {
                close(session);
            }
            // Otherwise nothing was promised: the reply has no position.
            return;
        }
        if let Some(end) = self.end {
            let _ = membership.resumed_at.set(Box::new(end));
        }
        // Those before have been read from the log.
        let events = &mut collected.events;
        let first_new = events.iter().position(|(position, _)| !membership.has_had(*position)).unwrap_or(events.len());
        // They are shared with other sessions, so they have no bytes of their own.
        let budget = session.replay_budget();
        let permits: Option<Vec<_>> = events[first_new..].iter().map(|_| budget.acquire(0).map(Arc::new)).collect();
        let Some(permits) = permits else { return close(session) };
        self.replayed.extend(events.drain(first_new..).map(|(_, event)| event).zip(permits));
        let path = || OwnedDeliveryPath::Group(membership.clone());
        let handle = |(event, permit): &ReplayedEvent<C>| EventHandle::replayed(event.clone(), path(), permit.clone());
        let handles = self.replayed.iter().map(handle);
        session.push_replayed(handles);
    }
}

/// Closes a connection whose reply has promised what would be missing or repeated. The client connects again and resumes.
fn close<C: Consumer>(session: &Arc<Session<C>>) {
    session.close_with(CloseReason::TooSlow);
    let (user, close_code) = (session.user_id().map(Truncated::new), CloseReason::TooSlow.as_u16());
    log_entry!(
        WARN,
        ?user,
        close_code,
        "connection closed: it resumes a group, and events were lost, too many, or its rights have changed meanwhile"
    );
}

/// Receives the events of a log that are replayed, see [`receive_event`](super::receive_event).
pub(super) struct Replay<C: Consumer> {
    pub(super) key: Option<Arc<PositionKey>>,
    pub(super) log: LogId,
    pub(super) group_name: Option<Arc<str>>,
    pub(super) session: ConnectionId,
    pub(super) budget: Arc<ReplayBudget>,
    /// `None` if there are too many.
    pub(super) events: Mutex<Option<Vec<ReplayedEvent<C>>>>,
}

impl<C: Consumer> Replay<C> {
    /// Returns whether there are too many events.
    pub(super) fn is_full(&self) -> bool {
        ignore_poison(self.events.lock()).is_none()
    }

    /// Adds an event, unless it was not for this connection.
    pub(super) fn push<E>(&self, message: &EventMessage<'_>, event: OutgoingEvent<E>)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(position) = message.position.filter(|_| message.except != Some(self.session)) else { return };
        let replayed = self.budget.acquire(message.body.len()).map(|permit| {
            let at = EventPosition::new(self.key.clone(), self.log.name(), position);
            let event: AnyEvent<C> = Publication::at_position(event, self.group_name.clone(), at);
            (event, Arc::new(permit))
        });
        let mut events = ignore_poison(self.events.lock());
        let rejected = match (&mut *events, replayed) {
            (Some(events), Some(event)) => {
                events.push(event);
                None
            }
            (_, replayed) => events.take().map(|events| (events, replayed)),
        };
        drop(events);
        // Not under the lock: dropping an event may run the application's code.
        drop(rejected);
    }
}
