//! What ties a connection to a group: for how long, and under which request ids.

use std::sync::{Arc, PoisonError};

use smallvec::SmallVec;

use super::memberships::GroupSlot;
use super::session::Session;
use crate::consumer::Consumer;
use crate::message::RequestId;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// One connection's membership in one group.
pub(crate) struct Membership<C: Consumer> {
    pub(crate) session: Arc<Session<C>>,
    /// What frames call the group, where clients may know.
    pub(crate) group_name: Option<Arc<str>>,
    /// How often what frames show of it has changed; [`ENDED`] once it has ended. Changed under the mailbox's lock only.
    pub(super) version: AtomicU64,
    /// Where it stands in the list of the group's members. Changed under that list's lock only.
    pub(crate) list_index: AtomicUsize,
    holds: Mutex<MembershipHolds<C>>,
}

/// The state of a membership that has ended.
pub(super) const ENDED: u64 = 1 << 40;

/// What keeps a membership: that it was joined, and each subscription. Each takes up the room of a group.
pub(super) struct MembershipHolds<C: Consumer> {
    join_slot: Option<GroupSlot<C>>,
    pub(super) subscriptions: SmallVec<[(RequestId, GroupSlot<C>); 1]>,
}

impl<C: Consumer> Membership<C> {
    /// One that is kept from the start, as joined or by a subscription.
    pub(crate) fn new(
        session: Arc<Session<C>>,
        group_name: Option<Arc<str>>,
        id: Option<RequestId>,
        slot: GroupSlot<C>,
    ) -> Membership<C> {
        let mut holds = MembershipHolds { join_slot: None, subscriptions: SmallVec::new() };
        let version = u64::from(id.is_some());
        match id {
            None => holds.join_slot = Some(slot),
            Some(id) => holds.subscriptions.push((id, slot)),
        }
        Membership {
            session,
            group_name,
            version: AtomicU64::new(version),
            list_index: AtomicUsize::new(0),
            holds: Mutex::new(holds),
        }
    }

    /// How much room it takes up.
    pub(crate) fn slot_count(&self) -> usize {
        let holds = self.lock_holds();
        usize::from(holds.join_slot.is_some()) + holds.subscriptions.len()
    }

    pub(crate) fn is_held_by(&self, id: Option<&RequestId>) -> bool {
        let holds = self.lock_holds();
        match id {
            None => holds.join_slot.is_some(),
            Some(id) => holds.subscriptions.iter().any(|subscription| subscription.0 == *id),
        }
    }

    /// Keeps it, as joined or by a subscription. What keeps it already needs no room again.
    pub(crate) fn hold(&self, id: Option<RequestId>, slot: GroupSlot<C>) {
        let mut holds = self.lock_holds();
        match id {
            None => holds.join_slot = Some(slot),
            Some(id) if holds.subscriptions.iter().any(|subscription| subscription.0 == id) => {}
            Some(id) => self.session.send_queue.with_queue_locked(|| {
                holds.subscriptions.push((id, slot));
                self.version.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }

    /// It is not joined any more, or not subscribed under that id. Whether nothing keeps the membership any more: then it has
    /// ended.
    pub(crate) fn release(&self, id: Option<&RequestId>) -> bool {
        let mut holds = self.lock_holds();
        self.session.send_queue.with_queue_locked(|| {
            match id {
                None => holds.join_slot = None,
                Some(id) => holds.subscriptions.retain(|subscription| subscription.0 != *id),
            }
            let has_ended = holds.join_slot.is_none() && holds.subscriptions.is_empty();
            if has_ended {
                self.version.store(ENDED, Ordering::Relaxed);
            } else {
                self.version.fetch_add(1, Ordering::Relaxed);
            }
            has_ended
        })
    }

    /// Ends it: what was put in by it before stays, nothing comes after.
    pub(crate) fn end(&self) {
        self.session.send_queue.with_queue_locked(|| self.version.store(ENDED, Ordering::Relaxed));
        // The room that it took up is free again.
        *self.lock_holds() = MembershipHolds { join_slot: None, subscriptions: SmallVec::new() };
    }

    pub(super) fn lock_holds(&self) -> MutexGuard<'_, MembershipHolds<C>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
