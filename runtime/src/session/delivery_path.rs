//! The delivery path of an event: the memberships by which, or the user because of whom, it reaches a session.

use std::sync::Arc;

use super::membership::{ENDED, Membership, has_ids, is_active};
use super::send_queue::EnqueueOutcome;
use crate::message::RequestId;
use crate::sync::atomic::Ordering;

/// Why an event reaches a session.
#[derive(Clone, Copy)]
pub(crate) enum DeliveryPath<'a> {
    /// The event was published to the user.
    Personal,
    /// The event was published to one group.
    Group(&'a Arc<Membership>),
    /// The event was published to several groups of which the session is a member.
    Groups(&'a Arc<[Arc<Membership>]>),
}

impl DeliveryPath<'_> {
    fn memberships(&self) -> &[Arc<Membership>] {
        match self {
            DeliveryPath::Personal => &[],
            DeliveryPath::Group(membership) => std::slice::from_ref(*membership),
            DeliveryPath::Groups(memberships) => memberships,
        }
    }

    /// Returns the version of the path, which changes with everything that frames show of it.
    ///
    /// # Errors
    ///
    /// [`Discarded`](EnqueueOutcome::Discarded) if the path has ended, and [`Unverified`](EnqueueOutcome::Unverified) if it
    /// has not ended, but no group's permission is known to hold.
    #[inline]
    pub(crate) fn version(&self) -> Result<u64, EnqueueOutcome> {
        let memberships = match self {
            DeliveryPath::Personal => return Ok(0),
            DeliveryPath::Group(membership) => {
                let version = membership.version.load(Ordering::Relaxed);
                return if is_active(version) { Ok(version) } else { Err(inactive_outcome(version)) };
            }
            DeliveryPath::Groups(memberships) => memberships,
        };
        let (mut sum, mut any_active, mut outcome) = (0_u64, false, EnqueueOutcome::Discarded);
        // Each version is read once, because it may change in between.
        for version in memberships.iter().map(|membership| membership.version.load(Ordering::Relaxed)) {
            // The low parts only rise, and the others change by their multiples, so the sum identifies the state of all.
            sum = sum.wrapping_add(version);
            any_active |= is_active(version);
            if !is_active(version) && inactive_outcome(version) == EnqueueOutcome::Unverified {
                outcome = EnqueueOutcome::Unverified;
            }
        }
        if any_active { Ok(sum) } else { Err(outcome) }
    }

    /// Returns the first membership whose group's permission is being evaluated again.
    pub(crate) fn unverified(&self) -> Option<&Arc<Membership>> {
        self.memberships().iter().find(|membership| membership.is_unverified())
    }

    /// Returns whether frames may show request ids.
    #[inline]
    pub(crate) fn shows_ids(&self) -> bool {
        self.memberships().iter().any(|membership| has_ids(membership.version.load(Ordering::Relaxed)))
    }

    /// Returns the request ids of the subscriptions, in the order in which they were made.
    pub(crate) fn request_ids(&self) -> Vec<RequestId> {
        let mut ids: Vec<RequestId> = Vec::new();
        for membership in self.memberships() {
            if is_active(membership.version.load(Ordering::Relaxed)) {
                for (id, _) in &membership.lock_holds().subscriptions {
                    if !ids.contains(id) {
                        ids.push(id.clone());
                    }
                }
            }
        }
        ids
    }

    /// Returns the public name of the first group by which the event is delivered.
    pub(crate) fn group_name(&self) -> Option<&str> {
        let membership =
            self.memberships().iter().find(|membership| is_active(membership.version.load(Ordering::Relaxed)))?;
        membership.group_name.as_deref()
    }

    /// Returns the path in owned form, for a queued or deferred event.
    pub(crate) fn into_owned(self) -> OwnedDeliveryPath {
        match self {
            DeliveryPath::Personal => OwnedDeliveryPath::Personal,
            DeliveryPath::Group(membership) => OwnedDeliveryPath::Group(membership.clone()),
            DeliveryPath::Groups(memberships) => OwnedDeliveryPath::Groups(memberships.clone()),
        }
    }
}

/// Returns what becomes of an event by a membership of this version, which is not active.
fn inactive_outcome(version: u64) -> EnqueueOutcome {
    if version < ENDED { EnqueueOutcome::Unverified } else { EnqueueOutcome::Discarded }
}

/// A [`DeliveryPath`] in owned form, for a queued or deferred event.
#[derive(Clone)]
pub(crate) enum OwnedDeliveryPath {
    Personal,
    Group(Arc<Membership>),
    Groups(Arc<[Arc<Membership>]>),
}

impl OwnedDeliveryPath {
    pub(crate) fn as_path(&self) -> DeliveryPath<'_> {
        match self {
            OwnedDeliveryPath::Personal => DeliveryPath::Personal,
            OwnedDeliveryPath::Group(membership) => DeliveryPath::Group(membership),
            OwnedDeliveryPath::Groups(memberships) => DeliveryPath::Groups(memberships),
        }
    }

    /// Returns a number that distinguishes paths. It is valid while the memberships are alive, which this value ensures.
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
