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
            DeliveryPath::Group(membership) => std::slice::from_ref(*membership),
            DeliveryPath::Groups(memberships) => memberships,
        }
    }

    /// How it stands: another number once something about it has changed. `None` where it has ended.
    #[inline]
    pub(crate) fn version(&self) -> Option<u64> {
        let version = |membership: &Membership<C>| membership.version.load(Ordering::Relaxed);
        match self {
            DeliveryPath::Personal => Some(0),
            DeliveryPath::Group(membership) => Some(version(membership)).filter(|version| *version < ENDED),
            // Each only rises.
            DeliveryPath::Groups(memberships) => memberships
                .iter()
                .any(|membership| version(membership) < ENDED)
                .then(|| memberships.iter().map(|membership| version(membership)).sum()),
        }
    }

    /// Whether frames show more of it than that it is there.
    #[inline]
    pub(crate) fn shows_ids(&self) -> bool {
        self.memberships().iter().any(|membership| membership.version.load(Ordering::Relaxed) % ENDED != 0)
    }

    /// What whoever sits there has subscribed under, in the order in which they did.
    pub(crate) fn request_ids(&self) -> Vec<RequestId> {
        let mut ids: Vec<RequestId> = Vec::new();
        for membership in self.memberships() {
            if membership.version.load(Ordering::Relaxed) < ENDED {
                for (id, _) in &membership.lock_holds().subscriptions {
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
        let membership =
            self.memberships().iter().find(|membership| membership.version.load(Ordering::Relaxed) < ENDED)?;
        membership.group_name.as_deref()
    }

    pub(crate) fn into_owned(self) -> OwnedDeliveryPath<C> {
        match self {
            DeliveryPath::Personal => OwnedDeliveryPath::Personal,
            DeliveryPath::Group(membership) => OwnedDeliveryPath::Group(membership.clone()),
            DeliveryPath::Groups(memberships) => OwnedDeliveryPath::Groups(memberships.clone()),
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
        self.as_path().into_owned()
    }
}

impl<C: Consumer> OwnedDeliveryPath<C> {
    pub(crate) fn as_path(&self) -> DeliveryPath<'_, C> {
        match self {
            OwnedDeliveryPath::Personal => DeliveryPath::Personal,
            OwnedDeliveryPath::Group(membership) => DeliveryPath::Group(membership),
            OwnedDeliveryPath::Groups(memberships) => DeliveryPath::Groups(memberships),
        }
    }

    /// Tells ways apart; the memberships are kept while it is compared.
    pub(crate) fn address(&self) -> usize {
        match self {
            OwnedDeliveryPath::Personal => 0,
            OwnedDeliveryPath::Group(membership) => Arc::as_ptr(membership).addr(),
            OwnedDeliveryPath::Groups(memberships) => {
                memberships.first().map_or(0, |membership| Arc::as_ptr(membership).addr())
            }
        }
    }
}
