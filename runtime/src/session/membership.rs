//! One membership: what holds it, and under which request ids the session has subscribed to the group.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::overflow::Coalesce;
use super::send_queue::SendQueue;
use crate::broker::LogPosition;
use crate::message::RequestId;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard, ignore_poison};

/// The membership of one session in one group.
pub(crate) struct Membership {
    /// The public name of the group in frames, if its type declares one.
    pub(crate) group_name: Option<Arc<str>>,
    /// Changes whenever what frames show of the membership changes: the low half counts the changes of its request ids, the
    /// next 30 bits the revalidations. [`UNVERIFIED`] is set while the group's permission is being evaluated again, and it is
    /// [`ENDED`] once the membership has ended. Written under `SendQueue::state` only.
    pub(super) version: AtomicU64,
    /// The index in the group's list of members. Written under the lock of that list only.
    pub(crate) list_index: AtomicUsize,
    /// Identifies the group among those that have members.
    pub(crate) group_id: usize,
    /// The position up to which a resumed membership has had the events of its group when it was made. Boxed, because most
    /// memberships are not resumed.
    pub(crate) resumed_at: OnceLock<Box<LogPosition>>,
    /// Protects what holds the membership. Lock order: after `Memberships::list`, before `SendQueue::state`.
    holds: Mutex<MembershipHolds>,
}

/// The version of a membership that has ended. Above every version of one that has not.
pub(super) const ENDED: u64 = 1 << 63;
/// Set in the version of a membership that may deliver nothing until the group's permission holds again.
pub(super) const UNVERIFIED: u64 = 1 << 62;
/// The part of the version that counts the revalidations. It wraps around.
const REVALIDATIONS: u64 = UNVERIFIED - ONE_REVALIDATION;
const ONE_REVALIDATION: u64 = 1 << 32;

/// Returns whether events are delivered by a membership of this version.
#[inline]
pub(super) fn is_active(version: u64) -> bool {
    version < UNVERIFIED
}

/// Returns whether a membership of this version has had a subscription, so that frames may show request ids.
#[inline]
pub(super) fn has_ids(version: u64) -> bool {
    !version.is_multiple_of(ONE_REVALIDATION)
}

/// A permit for one more group, returned when it is dropped.
pub(crate) struct GroupSlot(pub(super) Arc<AtomicUsize>);

impl Drop for GroupSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What holds a membership: the join, and each subscription. Each occupies a group slot.
pub(super) struct MembershipHolds {
    join_slot: Option<GroupSlot>,
    pub(super) subscriptions: SmallVec<[(RequestId, GroupSlot); 1]>,
}

impl Membership {
    /// Creates a membership that is held by a join (`id` is `None`) or by the subscription of `id`.
    pub(crate) fn new(
        group_name: Option<Arc<str>>,
        group_id: usize,
        id: Option<RequestId>,
        slot: GroupSlot,
    ) -> Membership {
        let mut holds = MembershipHolds { join_slot: None, subscriptions: SmallVec::new() };
        let version = u64::from(id.is_some());
        match id {
            None => holds.join_slot = Some(slot),
            Some(id) => holds.subscriptions.push((id, slot)),
        }
        Membership {
            group_name,
            version: AtomicU64::new(version),
            list_index: AtomicUsize::new(0),
            group_id,
            resumed_at: OnceLock::new(),
            holds: Mutex::new(holds),
        }
    }

    /// Returns whether an event at this position was replayed when the membership was made.
    pub(crate) fn has_had(&self, position: LogPosition) -> bool {
        let resumed_at = self.resumed_at.get();
        resumed_at.is_some_and(|at| at.epoch == position.epoch && position.sequence <= at.sequence)
    }

    /// Returns the number of group slots that the membership occupies.
    pub(crate) fn slot_count(&self) -> usize {
        let holds = self.lock_holds();
        usize::from(holds.join_slot.is_some()) + holds.subscriptions.len()
    }

    /// Returns whether the membership is held by a join (`id` is `None`) or by the subscription of `id`.
    pub(crate) fn is_held_by(&self, id: Option<&RequestId>) -> bool {
        let holds = self.lock_holds();
        match id {
            None => holds.join_slot.is_some(),
            Some(id) => holds.subscriptions.iter().any(|subscription| subscription.0 == *id),
        }
    }

    /// Holds the membership by a join (`id` is `None`) or by the subscription of `id`. If it is held that way already, the
    /// slot is returned. `send_queue` is that of the session.
    pub(crate) fn hold<N: Coalesce>(&self, id: Option<RequestId>, slot: GroupSlot, send_queue: &SendQueue<N>) {
        let mut holds = self.lock_holds();
        match id {
            None => holds.join_slot = Some(slot),
            Some(id) if holds.subscriptions.iter().any(|subscription| subscription.0 == id) => {}
            Some(id) => send_queue.with_queue_locked(|| {
                holds.subscriptions.push((id, slot));
                self.version.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }

    /// Ends the join (`id` is `None`) or the subscription of `id`. Ends the membership, and returns true, if nothing else
    /// holds it. `send_queue` is that of the session.
    pub(crate) fn release<N: Coalesce>(&self, id: Option<&RequestId>, send_queue: &SendQueue<N>) -> bool {
        let mut holds = self.lock_holds();
        send_queue.with_queue_locked(|| {
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

    /// Returns whether the group's permission is being evaluated again, so that events wait.
    pub(crate) fn is_unverified(&self) -> bool {
        self.version.load(Ordering::Relaxed) & UNVERIFIED != 0
    }

    /// Lets events wait until [`verify`](Membership::verify). `send_queue` is that of the session.
    pub(super) fn unverify<N: Coalesce>(&self, send_queue: &SendQueue<N>) {
        self.set_unverified(true, send_queue);
    }

    /// Lets events be delivered again, unless the membership has ended. `send_queue` is that of the session.
    pub(super) fn verify<N: Coalesce>(&self, send_queue: &SendQueue<N>) {
        self.set_unverified(false, send_queue);
    }

    fn set_unverified<N: Coalesce>(&self, is_unverified: bool, send_queue: &SendQueue<N>) {
        send_queue.with_queue_locked(|| {
            let version = self.version.load(Ordering::Relaxed);
            if version < ENDED && (version & UNVERIFIED != 0) != is_unverified {
                let revalidations = version.wrapping_add(ONE_REVALIDATION) & REVALIDATIONS;
                let flag = if is_unverified { UNVERIFIED } else { 0 };
                self.version.store(flag | revalidations | (version % ONE_REVALIDATION), Ordering::Relaxed);
            }
        });
    }

    /// Returns the request ids of the subscriptions.
    pub(super) fn request_ids(&self) -> Vec<RequestId> {
        self.lock_holds().subscriptions.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Ends the membership: events that are queued already stay queued, no further event is enqueued through it.
    /// `send_queue` is that of the session.
    pub(crate) fn end<N: Coalesce>(&self, send_queue: &SendQueue<N>) {
        send_queue.with_queue_locked(|| self.version.store(ENDED, Ordering::Relaxed));
        *self.lock_holds() = MembershipHolds { join_slot: None, subscriptions: SmallVec::new() };
    }

    pub(super) fn lock_holds(&self) -> MutexGuard<'_, MembershipHolds> {
        ignore_poison(self.holds.lock())
    }
}
