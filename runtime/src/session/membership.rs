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
    pub(crate) seat: Arc<Session<C>>,
    /// What frames call the group, where clients may know.
    pub(crate) group_name: Option<Arc<str>>,
    /// How often what frames show of it has changed; [`LEFT`] once it has ended. Changed under the mailbox's lock only.
    pub(super) state: AtomicU64,
    /// Where it stands in the list of the group's members. Changed under that list's lock only.
    pub(crate) place: AtomicUsize,
    held: Mutex<MembershipHolds<C>>,
}

/// The state of a membership that has ended.
pub(super) const LEFT: u64 = 1 << 40;

/// What keeps a membership: that it was joined, and each subscription. Each takes up the room of a group.
pub(super) struct MembershipHolds<C: Consumer> {
    joined: Option<GroupSlot<C>>,
    pub(super) subscriptions: SmallVec<[(RequestId, GroupSlot<C>); 1]>,
}

impl<C: Consumer> Membership<C> {
    /// One that is kept from the start, as joined or by a subscription.
    pub(crate) fn new(
        seat: Arc<Session<C>>,
        group_name: Option<Arc<str>>,
        id: Option<RequestId>,
        place: GroupSlot<C>,
    ) -> Membership<C> {
        let mut held = MembershipHolds { joined: None, subscriptions: SmallVec::new() };
        let state = u64::from(id.is_some());
        match id {
            None => held.joined = Some(place),
            Some(id) => held.subscriptions.push((id, place)),
        }
        Membership {
            seat,
            group_name,
            state: AtomicU64::new(state),
            place: AtomicUsize::new(0),
            held: Mutex::new(held),
        }
    }

    /// How much room it takes up.
    pub(crate) fn places(&self) -> usize {
        let held = self.held();
        usize::from(held.joined.is_some()) + held.subscriptions.len()
    }

    pub(crate) fn is_kept(&self, id: Option<&RequestId>) -> bool {
        let held = self.held();
        match id {
            None => held.joined.is_some(),
            Some(id) => held.subscriptions.iter().any(|known| known.0 == *id),
        }
    }

    /// Keeps it, as joined or by a subscription. What keeps it already needs no room again.
    pub(crate) fn keep(&self, id: Option<RequestId>, place: GroupSlot<C>) {
        let mut held = self.held();
        match id {
            None => held.joined = Some(place),
            Some(id) if held.subscriptions.iter().any(|known| known.0 == id) => {}
            Some(id) => self.seat.mailbox.among(|| {
                held.subscriptions.push((id, place));
                self.state.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }

    /// It is not joined any more, or not subscribed under that id. Whether nothing keeps the membership any more: then it has
    /// ended.
    pub(crate) fn release(&self, id: Option<&RequestId>) -> bool {
        let mut held = self.held();
        self.seat.mailbox.among(|| {
            match id {
                None => held.joined = None,
                Some(id) => held.subscriptions.retain(|known| known.0 != *id),
            }
            let ended = held.joined.is_none() && held.subscriptions.is_empty();
            if ended {
                self.state.store(LEFT, Ordering::Relaxed);
            } else {
                self.state.fetch_add(1, Ordering::Relaxed);
            }
            ended
        })
    }

    /// Ends it: what was put in by it before stays, nothing comes after.
    pub(crate) fn end(&self) {
        self.seat.mailbox.among(|| self.state.store(LEFT, Ordering::Relaxed));
        // The room that it took up is free again.
        *self.held() = MembershipHolds { joined: None, subscriptions: SmallVec::new() };
    }

    pub(super) fn held(&self) -> MutexGuard<'_, MembershipHolds<C>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
