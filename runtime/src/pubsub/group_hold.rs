//! What connects a group that has members here to other machines: [`GroupHold`].

use std::sync::Arc;

use super::codec::Codec;
use super::group::Group;
use super::remote_users::RemoteUsers;
use crate::broker::{GroupId, PartitionHold};
use crate::consumer::Consumer;
use crate::error::{Error, Result};
use crate::panic::catch_unwind;

/// The subscription to the events of a group on other machines.
pub(crate) struct GroupHold<C: Consumer> {
    pub(super) partition: PartitionHold,
    /// The subscription to the events that have a position. `None` if the group has no history.
    pub(super) history: Option<PartitionHold>,
    /// `None` if the group has no presence, or if its users are not shared with other machines.
    pub(super) presence: Option<GroupPresence<C>>,
}

/// The name of a group with presence on other machines, and the users there.
pub(super) struct GroupPresence<C: Consumer> {
    pub(super) id: GroupId,
    pub(super) users: Arc<RemoteUsers<C>>,
}

impl<C: Consumer> Clone for GroupHold<C> {
    fn clone(&self) -> Self {
        GroupHold { partition: self.partition.clone(), history: self.history.clone(), presence: self.presence.clone() }
    }
}

impl<C: Consumer> Clone for GroupPresence<C> {
    fn clone(&self) -> Self {
        GroupPresence { id: self.id.clone(), users: self.users.clone() }
    }
}

/// Encodes the key of a group.
///
/// # Errors
///
/// 500 if it cannot be encoded.
pub(super) fn encode_key<G: Group>(codec: &Codec<G>, group: &G) -> Result<Vec<u8>> {
    match catch_unwind(|| codec.encode_value(group)) {
        Ok(encoded) => encoded.map_err(Error::internal),
        Err(panic) => {
            Err(Error::internal(format!("the `Serialize` of the key of `{}` panicked: {}", G::NAME, panic.message())))
        }
    }
}
