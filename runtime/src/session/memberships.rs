//! The groups that one session is a member of, and the group slots that they occupy.

use std::any::Any;
use std::sync::{Arc, PoisonError};

use futures_util::future::BoxFuture;

use super::session::Session;
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::error::{Error, Result};
use crate::message::RequestId;
use crate::panic::catch_unwind;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

/// A membership in a group of any type. Implemented in [`group_table`](crate::pubsub::group_table).
pub(crate) trait MembershipEntry<C: Consumer>: Send + Sync {
    /// Returns whether this is a membership in `group`.
    fn is_group(&self, group: &dyn Any) -> bool;
    /// Returns whether the membership is held by a join (`id` is `None`) or by the subscription of `id`.
    fn is_held_by(&self, id: Option<&RequestId>) -> bool;
    /// Returns the number of group slots that the membership occupies.
    fn slot_count(&self) -> usize;
    /// Holds the membership by a join (`id` is `None`) or by the subscription of `id`.
    fn hold(&self, id: Option<RequestId>, slot: GroupSlot<C>);
    /// Ends the join (`id` is `None`) or the subscription of `id`. Returns whether nothing holds the membership any more.
    fn release(&self, id: Option<&RequestId>) -> bool;
    /// Evaluates the group permission for `scope`.
    fn authorize_member<'a>(&'a self, consumer: &'a C, scope: &'a Scope<C::User>) -> BoxFuture<'a, Result<()>>;
    /// Ends the membership and removes it from the list of members.
    fn leave(&self);
}

/// The memberships of one session.
pub(crate) struct Memberships<C: Consumer> {
    list: Vec<Arc<dyn MembershipEntry<C>>>,
    /// Whether the session has ended and accepts no further membership.
    is_closed: bool,
}

impl<C: Consumer> Default for Memberships<C> {
    fn default() -> Self {
        Memberships { list: Vec::new(), is_closed: false }
    }
}

/// A permit for one more group, returned when it is dropped.
pub(crate) struct GroupSlot<C: Consumer>(Arc<Session<C>>);

impl<C: Consumer> Drop for GroupSlot<C> {
    fn drop(&mut self) {
        self.0.group_count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C: Consumer> Session<C> {
    /// Reserves a group slot. `slots_given_back` slots become free together with this join and raise the limit.
    ///
    /// # Errors
    ///
    /// 409 `too_many_groups` if [`Limits::max_groups`](crate::Limits::max_groups) is reached.
    pub(crate) fn reserve_slot(self: &Arc<Self>, slots_given_back: usize) -> Result<GroupSlot<C>> {
        let slots_in_use = self.group_count.fetch_add(1, Ordering::Relaxed);
        let slot = GroupSlot(self.clone());
        if slots_in_use < self.max_groups.saturating_add(slots_given_back) {
            return Ok(slot);
        }
        Err(Error::new(http::StatusCode::CONFLICT, "too_many_groups", "The connection is in too many groups."))
    }

    /// Returns whether the session is a member of `group` by a join (`id` is `None`) or by the subscription of `id`.
    pub(crate) fn is_member(&self, group: &dyn Any, id: Option<&RequestId>) -> bool {
        self.lock_memberships().list.iter().any(|entry| entry.is_group(group) && entry.is_held_by(id))
    }

    /// Returns the number of slots that the membership in `group` occupies, or 0 if there is none.
    pub(crate) fn slot_count(&self, group: &dyn Any) -> usize {
        self.lock_memberships().list.iter().find(|entry| entry.is_group(group)).map_or(0, |entry| entry.slot_count())
    }

    /// Returns a snapshot of the memberships.
    pub(crate) fn memberships(&self) -> Vec<Arc<dyn MembershipEntry<C>>> {
        self.lock_memberships().list.clone()
    }

    /// Adds a membership in `group`, made by `create_entry` unless there is one, and holds it by a join (`id` is `None`) or
    /// by the subscription of `id`. Does nothing if the session has ended. Returns whether the membership was not held that
    /// way before.
    pub(crate) fn add_membership(
        &self,
        group: &dyn Any,
        id: Option<RequestId>,
        slot: GroupSlot<C>,
        create_entry: impl FnOnce(Option<RequestId>, GroupSlot<C>) -> Arc<dyn MembershipEntry<C>>,
    ) -> bool {
        let mut memberships = self.lock_memberships();
        if memberships.is_closed {
            return false;
        }
        if let Some(entry) = memberships.list.iter().find(|entry| entry.is_group(group)) {
            let is_new = !entry.is_held_by(id.as_ref());
            entry.hold(id, slot);
            return is_new;
        }
        let entry = create_entry(id, slot);
        memberships.list.push(entry);
        true
    }

    /// Ends the join of `group` (`id` is `None`) or the subscription of `id`, and the membership if nothing else holds it.
    pub(crate) fn release(&self, group: &dyn Any, id: Option<&RequestId>) {
        self.remove_membership_if(group, |entry| entry.release(id));
    }

    /// Ends the membership in `group`, whatever holds it.
    pub(crate) fn remove_membership(&self, group: &dyn Any) {
        self.remove_membership_if(group, |_| true);
    }

    fn remove_membership_if(&self, group: &dyn Any, should_remove: impl FnOnce(&dyn MembershipEntry<C>) -> bool) {
        let mut memberships = self.lock_memberships();
        let Some(index) = memberships.list.iter().position(|entry| entry.is_group(group)) else { return };
        if should_remove(&*memberships.list[index]) {
            let entry = memberships.list.swap_remove(index);
            drop(memberships);
            entry.leave();
        }
    }

    /// Ends a membership that [`memberships`](Session::memberships) returned.
    pub(crate) fn remove_entry(&self, entry: &Arc<dyn MembershipEntry<C>>) {
        self.lock_memberships().list.retain(|other| !Arc::ptr_eq(other, entry));
        entry.leave();
    }

    /// Ends every membership. Later calls of [`add_membership`](Session::add_membership) do nothing.
    pub(crate) fn remove_all_memberships(&self) {
        let entries = {
            let mut memberships = self.lock_memberships();
            memberships.is_closed = true;
            std::mem::take(&mut memberships.list)
        };
        for entry in &entries {
            // A panic of one key must not keep the session in its other groups.
            if catch_unwind(|| entry.leave()).is_err() {
                tracing::error!("group key panicked on leave");
            }
        }
    }

    fn lock_memberships(&self) -> MutexGuard<'_, Memberships<C>> {
        self.memberships.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
