//! The endpoint of a machine, as its node sees it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::broker::PartitionSet;
use crate::broker::control::ChangeMessage;
use crate::broker::machine_presence::GroupUser;
use crate::broker::message::{EventMessage, Undeliverable};

/// What an endpoint does with what its node receives. Called by one task at a time, and does not block.
pub(crate) trait ClusterEndpoint: Send + Sync {
    /// Delivers an event to the sessions here: one of another machine, or one of a group with a history, which may be of this one.
    ///
    /// # Errors
    ///
    /// Fails if the type is not known here, or if the event or a key cannot be decoded.
    fn deliver(&self, message: &EventMessage<'_>) -> Result<(), Undeliverable>;

    /// Applies a change of rights, and calls `done` when it has taken effect.
    fn apply(self: Arc<Self>, change: &ChangeMessage<'_>, done: Box<dyn FnOnce() + Send>);

    /// Closes all connections and those whose handshake is in progress, because they may have been closed by a change that
    /// this machine has missed.
    fn close_all(&self);

    /// The link is up, or down.
    fn link_changed(&self, is_connected: bool);

    /// Events of other machines to these partitions may have been lost. From now on they are received again.
    fn missed(self: Arc<Self>, partitions: PartitionSet);

    /// As [`missed`](ClusterEndpoint::missed), for an event of a type that is unknown here or differs.
    fn missed_unknown(self: Arc<Self>, partitions: PartitionSet);

    /// Returns whether the users of groups with presence are shared with other machines.
    fn shares_presence(&self) -> bool;

    /// Returns whether a type of groups is defined here as on the machine that uses it, or not known here yet.
    fn has_equal_group(&self, name: &str, fingerprint: u64) -> bool;

    /// The numbers of connections of these users to other machines have changed.
    fn presence_changed(&self, users: BTreeSet<GroupUser>);

    /// Called every few seconds.
    fn upkeep(&self);
}
