//! The groups that one session is a member of, and the group slots that they occupy.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::current_scope::CurrentScope;
use super::membership::{GroupSlot, Membership};
use super::overflow::Coalesce;
use super::send_queue::SendQueue;
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::error::{Error, Result};
use crate::message::RequestId;
use crate::panic::{catch_unwind, log_entry};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

/// A membership in a group of any type. Implemented in [`group_table`](crate::pubsub::group_table).
pub(crate) trait MembershipEntry<C: Consumer>: Send + Sync {
    /// Returns whether this is a membership in `group`.
    fn is_group(&self, group: &dyn Any) -> bool;
    /// Returns whether the membership is held by a join (`id` is `None`) or by the subscription of `id`.
    fn is_held_by(&self, id: Option<&RequestId>) -> bool;
    /// Returns the number of group slots that the membership occupies.
    fn slot_count(&self) -> usize;
    /// Holds the membership by a join (`id` is `None`) or by the subscription of `id`.
    fn hold(&self, id: Option<RequestId>, slot: GroupSlot);
    /// Ends the join (`id` is `None`) or the subscription of `id`. Returns whether nothing holds the membership any more.
    fn release(&self, id: Option<&RequestId>) -> bool;
    /// Returns the membership.
    fn membership(&self) -> &Arc<Membership>;
    /// Evaluates the group permission for `scope`, within a time limit.
    fn authorize_member<'a>(
        &'a self,
        consumer: &'a C,
        scope: &'a Scope<C::User>,
        limit: Duration,
    ) -> BoxFuture<'a, Result<()>>;
    /// Returns the name of the group's type, for the log.
    fn group_type(&self) -> &'static str;
    /// Ends the membership and removes it from the list of members.
    fn leave(&self);
    /// Adds the user of a scope to those of a group with presence, or shows it by this scope from now on, unless one of a later
    /// epoch shows it. The membership has passed the group's permission with this scope in this epoch. Called while no lock is
    /// held.
    fn add_user(&self, scope: CurrentScope<'_, C::User>, epoch: Epoch);
    /// Returns the key of the group.
    fn group(&self) -> &dyn Any;
}

/// The memberships of one session, and its group slots.
pub(crate) struct Memberships<C: Consumer> {
    /// Protects the list. Lock order: after `Session::deferred`, before the locks of the group tables and
    /// `SendQueue::state`.
    list: Mutex<MembershipList<C>>,
    /// The number of group slots in use, reserved ones included.
    slots_in_use: Arc<AtomicUsize>,
    max_slots: usize,
}

struct MembershipList<C: Consumer> {
    /// The memberships. After the connection has ended, those that it had then: an action that still runs may publish as a
    /// member, and `#[disconnect]` reads them.
    entries: Vec<Arc<dyn MembershipEntry<C>>>,
    /// Whether the connection has ended, which ends all memberships and accepts no further one.
    is_closed: bool,
    /// Whether every membership that is not marked as unverified has passed the permission of its group in the current
    /// epoch. It becomes true under `Session::deferred` only, and never once the connection has ended.
    is_verified: bool,
}

/// The memberships that a connection had when it ended.
pub(crate) struct EndedMemberships<C: Consumer>(Vec<Arc<dyn MembershipEntry<C>>>);

impl<C: Consumer> EndedMemberships<C> {
    /// Returns the keys of the groups of type `G`.
    pub(crate) fn groups<G: Clone + 'static>(&self) -> Vec<G> {
        self.0.iter().filter_map(|entry| entry.group().downcast_ref::<G>().cloned()).collect()
    }
}

impl<C: Consumer> Memberships<C> {
    pub(crate) fn new(max_slots: usize) -> Memberships<C> {
        let list = Mutex::new(MembershipList { entries: Vec::new(), is_closed: false, is_verified: true });
        Memberships { list, slots_in_use: Arc::new(AtomicUsize::new(0)), max_slots }
    }

    /// Reserves a group slot. `slots_given_back` slots become free together with this join and raise the limit.
    ///
    /// # Errors
    ///
    /// 409 `too_many_groups` if [`Limits::max_groups`](crate::Limits::max_groups) is reached.
    pub(crate) fn reserve_slot(&self, slots_given_back: usize) -> Result<GroupSlot> {
        let slots_in_use = self.slots_in_use.fetch_add(1, Ordering::Relaxed);
        let slot = GroupSlot(self.slots_in_use.clone());
        if slots_in_use < self.max_slots.saturating_add(slots_given_back) {
            return Ok(slot);
        }
        Err(Error::new(http::StatusCode::CONFLICT, "too_many_groups", "The connection is in too many groups."))
    }

    /// Returns whether the session is a member of `group` by a join (`id` is `None`) or by the subscription of `id`.
    pub(crate) fn is_member(&self, group: &dyn Any, id: Option<&RequestId>) -> bool {
        self.lock_list().entries.iter().any(|entry| entry.is_group(group) && entry.is_held_by(id))
    }

    /// Returns whether the membership in `group` has passed the group's permission in the current epoch, or `None` if there
    /// is none.
    pub(crate) fn is_verified(&self, group: &dyn Any) -> Option<bool> {
        let list = self.lock_list();
        let entry = list.entries.iter().find(|entry| entry.is_group(group))?;
        Some(list.is_verified && !entry.membership().is_unverified())
    }

    /// Records that a revalidation is pending, which evaluates all group permissions again. Called before the epoch is
    /// raised.
    pub(crate) fn begin_revalidation(&self) {
        self.lock_list().is_verified = false;
    }

    /// Marks every membership as unverified, so that only these wait, and returns them. Those of a connection that has ended
    /// are not revalidated.
    pub(super) fn unverify_each<N: Coalesce>(&self, send_queue: &SendQueue<N>) -> Vec<Arc<dyn MembershipEntry<C>>> {
        let mut list = self.lock_list();
        if list.is_closed {
            return Vec::new();
        }
        list.entries.iter().for_each(|entry| entry.membership().unverify(send_queue));
        list.is_verified = true;
        list.entries.clone()
    }

    /// Returns the number of slots that the membership in `group` occupies, or 0 if there is none.
    pub(crate) fn slot_count(&self, group: &dyn Any) -> usize {
        self.lock_list().entries.iter().find(|entry| entry.is_group(group)).map_or(0, |entry| entry.slot_count())
    }

    /// Returns a snapshot of the memberships. Empty if the connection has ended.
    pub(super) fn entries(&self) -> Vec<Arc<dyn MembershipEntry<C>>> {
        let list = self.lock_list();
        if list.is_closed { Vec::new() } else { list.entries.clone() }
    }

    /// Adds a membership in `group`, made by `create_entry` unless there is one, and holds it by a join (`id` is `None`) or
    /// by the subscription of `id`. Does nothing if the session has ended. Returns whether the membership was not held that
    /// way before.
    pub(crate) fn add(
        &self,
        group: &dyn Any,
        id: Option<RequestId>,
        slot: GroupSlot,
        create_entry: impl FnOnce(Option<RequestId>, GroupSlot) -> Arc<dyn MembershipEntry<C>>,
    ) -> bool {
        let mut list = self.lock_list();
        if list.is_closed {
            return false;
        }
        if let Some(entry) = list.entries.iter().find(|entry| entry.is_group(group)) {
            let is_new = !entry.is_held_by(id.as_ref());
            entry.hold(id, slot);
            return is_new;
        }
        let entry = create_entry(id, slot);
        list.entries.push(entry);
        true
    }

    /// Returns the membership in `group`.
    pub(crate) fn entry(&self, group: &dyn Any) -> Option<Arc<dyn MembershipEntry<C>>> {
        self.lock_list().entries.iter().find(|entry| entry.is_group(group)).cloned()
    }

    /// Ends the join of `group` (`id` is `None`) or the subscription of `id`, and the membership if nothing else holds it.
    pub(crate) fn release(&self, group: &dyn Any, id: Option<&RequestId>) {
        self.remove_if(group, |entry| entry.release(id));
    }

    /// Ends the membership in `group`, whatever holds it.
    pub(crate) fn remove(&self, group: &dyn Any) {
        self.remove_if(group, |_| true);
    }

    fn remove_if(&self, group: &dyn Any, should_remove: impl FnOnce(&dyn MembershipEntry<C>) -> bool) {
        let mut list = self.lock_list();
        if list.is_closed {
            return;
        }
        let Some(index) = list.entries.iter().position(|entry| entry.is_group(group)) else { return };
        if should_remove(&*list.entries[index]) {
            let entry = list.entries.swap_remove(index);
            drop(list);
            entry.leave();
        }
    }

    /// Removes a membership from the list, and returns whether it was there. It does not end.
    pub(super) fn remove_entry(&self, entry: &Arc<dyn MembershipEntry<C>>) -> bool {
        let mut list = self.lock_list();
        if list.is_closed {
            return false;
        }
        let index = list.entries.iter().position(|other| Arc::ptr_eq(other, entry));
        index.is_some_and(|index| {
            list.entries.swap_remove(index);
            true
        })
    }

    /// Removes and returns the memberships that the connection had when it ended. They refer to the session, so they must be
    /// taken.
    pub(crate) fn take_ended(&self) -> EndedMemberships<C> {
        EndedMemberships(std::mem::take(&mut self.lock_list().entries))
    }

    /// Ends every membership, once. Later calls of [`add`](Memberships::add) do nothing.
    pub(crate) fn end_all(&self) {
        let entries = {
            let mut list = self.lock_list();
            if std::mem::replace(&mut list.is_closed, true) {
                return;
            }
            // Their marks end with them, but not what the marks say: an action that still runs may publish as a member.
            list.is_verified &= !list.entries.iter().any(|entry| entry.membership().is_unverified());
            list.entries.clone()
        };
        for entry in &entries {
            // A panic of one key must not keep the session in its other groups.
            if catch_unwind(|| entry.leave()).is_err() {
                log_entry!(ERROR, "group key panicked on leave");
            }
        }
    }

    fn lock_list(&self) -> MutexGuard<'_, MembershipList<C>> {
        lock(&self.list)
    }
}
