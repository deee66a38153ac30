//! Why an event reaches a session: one group, several, or the user.

use std::sync::Arc;

use super::membership::{ENDED, Membership};
use crate::consumer::Consumer;
use crate::message::RequestId;
use crate::sync::atomic::Ordering;

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
    pub(crate) fn version(&self) -> Option<u64> {
        let state = |membership: &Membership<C>| membership.state.load(Ordering::Relaxed);
        match self {
            DeliveryPath::Personal => Some(0),
            DeliveryPath::Group(one) => Some(state(one)).filter(|state| *state < ENDED),
            // Each only rises.
            DeliveryPath::Groups(several) => {
                several.iter().any(|one| state(one) < ENDED).then(|| several.iter().map(|one| state(one)).sum())
            }
        }
    }

    /// Whether frames show more of it than that it is there.
    #[inline]
    pub(crate) fn shows_ids(&self) -> bool {
        self.memberships().iter().any(|membership| membership.state.load(Ordering::Relaxed) % ENDED != 0)
    }

    /// What whoever sits there has subscribed under, in the order in which they did.
    pub(crate) fn request_ids(&self) -> Vec<RequestId> {
        let mut ids: Vec<RequestId> = Vec::new();
        for membership in self.memberships() {
            if membership.state.load(Ordering::Relaxed) < ENDED {
                for (id, _) in &membership.holds().subscriptions {
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
        let version = self.memberships().iter().find(|one| one.state.load(Ordering::Relaxed) < ENDED)?;
        version.group_name.as_deref()
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
        self.as_path().owned()
    }
}

impl<C: Consumer> OwnedDeliveryPath<C> {
    pub(crate) fn as_path(&self) -> DeliveryPath<'_, C> {
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
