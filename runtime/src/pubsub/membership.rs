//! What ties a connection to a group: for how long, and under which request ids.

use std::sync::{Arc, PoisonError};

use smallvec::SmallVec;

use crate::consumer::Consumer;
use crate::message::RequestId;
use crate::session::memberships::GroupSlot;
use crate::session::session::Session;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// One connection's membership in one group.
pub(crate) struct Membership<C: Consumer> {
    pub(crate) seat: Arc<Session<C>>,
    /// What frames call the group, where clients may know.
    pub(crate) group_name: Option<Arc<str>>,
    /// How often what frames show of it has changed; [`LEFT`] once it has ended. Changed under the mailbox's lock only.
    state: AtomicU64,
    /// Where it stands in the list of the group's members. Changed under that list's lock only.
    pub(crate) place: AtomicUsize,
    held: Mutex<MembershipHolds<C>>,
}

/// The state of a membership that has ended.
const LEFT: u64 = 1 << 40;

/// What keeps a membership: that it was joined, and each subscription. Each takes up the room of a group.
struct MembershipHolds<C: Consumer> {
    joined: Option<GroupSlot<C>>,
    subscriptions: SmallVec<[(RequestId, GroupSlot<C>); 1]>,
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

    fn held(&self) -> MutexGuard<'_, MembershipHolds<C>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way that an event comes to a connection.
pub(crate) enum DeliveryPath<'a, C: Consumer> {
    /// Because of who sits there.
    Personal,
    Group(&'a Arc<Membership<C>>),
    Groups(&'a Arc<[Arc<Membership<C>>]>),
}

impl<C: Consumer> Clone for DeliveryPath<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Consumer> Copy for DeliveryPath<'_, C> {}

impl<C: Consumer> DeliveryPath<'_, C> {
    fn memberships(&self) -> &[Arc<Membership<C>>] {
        match self {
            DeliveryPath::Personal => &[],
            DeliveryPath::Group(one) => std::slice::from_ref(*one),
            DeliveryPath::Groups(several) => several,
        }
    }

    /// How it stands: another number once something about it has changed. `None` where it has ended.
    #[inline]
    pub(crate) fn standing(&self) -> Option<u64> {
        let state = |membership: &Membership<C>| membership.state.load(Ordering::Relaxed);
        match self {
            DeliveryPath::Personal => Some(0),
            DeliveryPath::Group(one) => Some(state(one)).filter(|state| *state < LEFT),
            // Each only rises.
            DeliveryPath::Groups(several) => {
                several.iter().any(|one| state(one) < LEFT).then(|| several.iter().map(|one| state(one)).sum())
            }
        }
    }

    /// Whether frames show more of it than that it is there.
    #[inline]
    pub(crate) fn shows_ids(&self) -> bool {
        self.memberships().iter().any(|membership| membership.state.load(Ordering::Relaxed) % LEFT != 0)
    }

    /// What whoever sits there has subscribed under, in the order in which they did.
    pub(crate) fn request_ids(&self) -> Vec<RequestId> {
        let mut ids: Vec<RequestId> = Vec::new();
        for membership in self.memberships() {
            if membership.state.load(Ordering::Relaxed) < LEFT {
                for (id, _) in &membership.held().subscriptions {
                    if !ids.contains(id) {
                        ids.push(id.clone());
                    }
                }
            }
        }
        ids
    }

    /// What frames call the group that it comes by: the first of several.
    pub(crate) fn group_name(&self) -> Option<&str> {
        let standing = self.memberships().iter().find(|one| one.state.load(Ordering::Relaxed) < LEFT)?;
        standing.group_name.as_deref()
    }

    pub(crate) fn owned(&self) -> OwnedDeliveryPath<C> {
        match *self {
            DeliveryPath::Personal => OwnedDeliveryPath::Personal,
            DeliveryPath::Group(one) => OwnedDeliveryPath::Group(one.clone()),
            DeliveryPath::Groups(several) => OwnedDeliveryPath::Groups(several.clone()),
        }
    }
}

/// The same, kept for an event that waits.
pub(crate) enum OwnedDeliveryPath<C: Consumer> {
    Personal,
    Group(Arc<Membership<C>>),
    Groups(Arc<[Arc<Membership<C>>]>),
}

impl<C: Consumer> Clone for OwnedDeliveryPath<C> {
    fn clone(&self) -> Self {
        self.as_way().owned()
    }
}

impl<C: Consumer> OwnedDeliveryPath<C> {
    pub(crate) fn as_way(&self) -> DeliveryPath<'_, C> {
        match self {
            OwnedDeliveryPath::Personal => DeliveryPath::Personal,
            OwnedDeliveryPath::Group(one) => DeliveryPath::Group(one),
            OwnedDeliveryPath::Groups(several) => DeliveryPath::Groups(several),
        }
    }

    /// Tells ways apart; the memberships are kept while it is compared.
    pub(crate) fn address(&self) -> usize {
        match self {
            OwnedDeliveryPath::Personal => 0,
            OwnedDeliveryPath::Group(one) => Arc::as_ptr(one).addr(),
            OwnedDeliveryPath::Groups(several) => several.first().map_or(0, |one| Arc::as_ptr(one).addr()),
        }
    }
}
