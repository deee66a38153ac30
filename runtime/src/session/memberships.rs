//! The groups that one connection belongs to, and the room that they take up.

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

/// A group that a connection belongs to.
pub(crate) trait MembershipEntry<C: Consumer>: Send + Sync {
    /// Whether it is this one.
    fn is_group(&self, group: &dyn Any) -> bool;
    /// Whether something keeps it already: that it was joined, or the subscription of that id.
    fn is_held_by(&self, id: Option<&RequestId>) -> bool;
    /// How much room it takes up.
    fn slot_count(&self) -> usize;
    /// Keeps it, as joined or by a subscription.
    fn hold(&self, id: Option<RequestId>, slot: GroupSlot<C>);
    /// It is not joined any more, or not subscribed under that id. Whether nothing keeps it any more.
    fn release(&self, id: Option<&RequestId>) -> bool;
    /// Whether whoever sits here may still be in it.
    fn authorize_member<'a>(&'a self, consumer: &'a C, scope: &'a Scope<C::User>) -> BoxFuture<'a, Result<()>>;
    /// Leaves it.
    fn leave(&self);
}

/// All of them.
pub(crate) struct Memberships<C: Consumer> {
    list: Vec<Arc<dyn MembershipEntry<C>>>,
    /// The connection has ended, and belongs nowhere any more.
    is_closed: bool,
}

impl<C: Consumer> Default for Memberships<C> {
    fn default() -> Self {
        Memberships { list: Vec::new(), is_closed: false }
    }
}

/// Room for one more group; given back when it is dropped.
pub(crate) struct GroupSlot<C: Consumer>(Arc<Session<C>>);

impl<C: Consumer> Drop for GroupSlot<C> {
    fn drop(&mut self) {
        self.0.group_count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C: Consumer> Session<C> {
    /// Room for one more group, where so much is about to be given back. 409 where there is none.
    pub(crate) fn reserve_slot(self: &Arc<Self>, slots_given_back: usize) -> Result<GroupSlot<C>> {
        let slots_in_use = self.group_count.fetch_add(1, Ordering::Relaxed);
        let slot = GroupSlot(self.clone());
        if slots_in_use < self.max_groups.saturating_add(slots_given_back) {
            return Ok(slot);
        }
        Err(Error::new(http::StatusCode::CONFLICT, "too_many_groups", "The connection is in too many groups."))
    }

    /// Whether it is in a group already, as joined or by the subscription of that id.
    pub(crate) fn is_member(&self, group: &dyn Any, id: Option<&RequestId>) -> bool {
        self.lock_memberships().list.iter().any(|entry| entry.is_group(group) && entry.is_held_by(id))
    }

    /// How much room a group takes up.
    pub(crate) fn slot_count(&self, group: &dyn Any) -> usize {
        self.lock_memberships().list.iter().find(|entry| entry.is_group(group)).map_or(0, |entry| entry.slot_count())
    }

    /// The groups that it is in now.
    pub(crate) fn memberships(&self) -> Vec<Arc<dyn MembershipEntry<C>>> {
        self.lock_memberships().list.clone()
    }

    /// Belongs to a group, `create_entry` makes it, unless it does already; and keeps it. Once the connection has ended, nothing
    /// happens. Gives back whether it was not kept so before.
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

    /// Ends that a group is joined, or subscribed to under that id; and the membership where nothing else keeps it.
    pub(crate) fn release(&self, group: &dyn Any, id: Option<&RequestId>) {
        self.remove_membership_if(group, |entry| entry.release(id));
    }

    /// Belongs to a group no more.
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

    /// The same of one that was found before.
    pub(crate) fn remove_entry(&self, entry: &Arc<dyn MembershipEntry<C>>) {
        self.lock_memberships().list.retain(|other| !Arc::ptr_eq(other, entry));
        entry.leave();
    }

    /// Belongs nowhere any more, for good.
    pub(crate) fn remove_all_memberships(&self) {
        let entries = {
            let mut memberships = self.lock_memberships();
            memberships.is_closed = true;
            std::mem::take(&mut memberships.list)
        };
        for entry in &entries {
            // A key that panics keeps its own group only.
            if catch_unwind(|| entry.leave()).is_err() {
                tracing::error!("a group's key panicked when a connection left it");
            }
        }
    }

    fn lock_memberships(&self) -> MutexGuard<'_, Memberships<C>> {
        self.memberships.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
