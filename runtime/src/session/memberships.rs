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
    fn is(&self, group: &dyn Any) -> bool;
    /// Whether something keeps it already: that it was joined, or the subscription of that id.
    fn is_kept(&self, id: Option<&RequestId>) -> bool;
    /// How much room it takes up.
    fn places(&self) -> usize;
    /// Keeps it, as joined or by a subscription.
    fn keep(&self, id: Option<RequestId>, place: GroupSlot<C>);
    /// It is not joined any more, or not subscribed under that id. Whether nothing keeps it any more.
    fn release(&self, id: Option<&RequestId>) -> bool;
    /// Whether whoever sits here may still be in it.
    fn may_stay<'a>(&'a self, consumer: &'a C, scope: &'a Scope<C::User>) -> BoxFuture<'a, Result<()>>;
    /// Leaves it.
    fn leave(&self);
}

/// All of them.
pub(crate) struct Memberships<C: Consumer> {
    list: Vec<Arc<dyn MembershipEntry<C>>>,
    /// The connection has ended, and belongs nowhere any more.
    over: bool,
}

impl<C: Consumer> Default for Memberships<C> {
    fn default() -> Self {
        Memberships { list: Vec::new(), over: false }
    }
}

/// Room for one more group; given back when it is dropped.
pub(crate) struct GroupSlot<C: Consumer>(Arc<Session<C>>);

impl<C: Consumer> Drop for GroupSlot<C> {
    fn drop(&mut self) {
        self.0.groups.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C: Consumer> Session<C> {
    /// Room for one more group, where so much is about to be given back. 409 where there is none.
    pub(crate) fn reserve(self: &Arc<Self>, given_back: usize) -> Result<GroupSlot<C>> {
        let taken = self.groups.fetch_add(1, Ordering::Relaxed);
        let reserved = GroupSlot(self.clone());
        if taken < self.most_groups.saturating_add(given_back) {
            return Ok(reserved);
        }
        Err(Error::new(http::StatusCode::CONFLICT, "too_many_groups", "The connection is in too many groups."))
    }

    /// Whether it is in a group already, as joined or by the subscription of that id.
    pub(crate) fn is_in(&self, group: &dyn Any, id: Option<&RequestId>) -> bool {
        self.lock_belongings().list.iter().any(|known| known.is(group) && known.is_kept(id))
    }

    /// How much room a group takes up.
    pub(crate) fn places(&self, group: &dyn Any) -> usize {
        self.lock_belongings().list.iter().find(|known| known.is(group)).map_or(0, |known| known.places())
    }

    /// The groups that it is in now.
    pub(crate) fn belongings(&self) -> Vec<Arc<dyn MembershipEntry<C>>> {
        self.lock_belongings().list.clone()
    }

    /// Belongs to a group, `enter` makes it, unless it does already; and keeps it. Once the connection has ended, nothing
    /// happens. Gives back whether it was not kept so before.
    pub(crate) fn belong(
        &self,
        group: &dyn Any,
        id: Option<RequestId>,
        place: GroupSlot<C>,
        enter: impl FnOnce(Option<RequestId>, GroupSlot<C>) -> Arc<dyn MembershipEntry<C>>,
    ) -> bool {
        let mut belongings = self.lock_belongings();
        if belongings.over {
            return false;
        }
        if let Some(known) = belongings.list.iter().find(|known| known.is(group)) {
            let is_new = !known.is_kept(id.as_ref());
            known.keep(id, place);
            return is_new;
        }
        let belonging = enter(id, place);
        belongings.list.push(belonging);
        true
    }

    /// Ends that a group is joined, or subscribed to under that id; and the membership where nothing else keeps it.
    pub(crate) fn release(&self, group: &dyn Any, id: Option<&RequestId>) {
        self.part_if(group, |belonging| belonging.release(id));
    }

    /// Belongs to a group no more.
    pub(crate) fn part(&self, group: &dyn Any) {
        self.part_if(group, |_| true);
    }

    fn part_if(&self, group: &dyn Any, parts: impl FnOnce(&dyn MembershipEntry<C>) -> bool) {
        let mut belongings = self.lock_belongings();
        let Some(at) = belongings.list.iter().position(|known| known.is(group)) else { return };
        if parts(&*belongings.list[at]) {
            let belonging = belongings.list.swap_remove(at);
            drop(belongings);
            belonging.leave();
        }
    }

    /// The same of one that was found before.
    pub(crate) fn part_with(&self, belonging: &Arc<dyn MembershipEntry<C>>) {
        self.lock_belongings().list.retain(|known| !Arc::ptr_eq(known, belonging));
        belonging.leave();
    }

    /// Belongs nowhere any more, for good.
    pub(crate) fn part_with_all(&self) {
        let all = {
            let mut belongings = self.lock_belongings();
            belongings.over = true;
            std::mem::take(&mut belongings.list)
        };
        for belonging in &all {
            // A key that panics keeps its own group only.
            if catch_unwind(|| belonging.leave()).is_err() {
                tracing::error!("a group's key panicked when a connection left it");
            }
        }
    }

    fn lock_belongings(&self) -> MutexGuard<'_, Memberships<C>> {
        self.belongings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
