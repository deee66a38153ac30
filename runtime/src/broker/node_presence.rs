//! What a node keeps about users, here and on other machines: [`NodePresence`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use super::channel::PARTITION_COUNT;
use super::local_presence::LocalPresence;
use super::machine_id::MachineId;
use super::remote_presence::RemotePresence;
use crate::sync::ignore_poison;

/// The part of a node that is about users.
pub(super) struct NodePresence {
    /// By the index of the partition: the users here. Each is locked until its message is queued, so that versions rise in the
    /// order of publication. Lock order: before the numbers of messages.
    pub(super) local: Box<[Mutex<LocalPresence>]>,
    /// Protects the users elsewhere. No other lock is taken under it.
    remote: Mutex<RemotePresence>,
    /// Protects the partitions of requests that are not sent yet, by the machine that is asked, or `None` for all. No other
    /// lock is taken under it.
    pub(super) requests: Mutex<BTreeMap<Option<MachineId>, BTreeSet<usize>>>,
    /// Protects what requests have been answered. No other lock is taken under it.
    pub(super) answers: Mutex<Answers>,
}

/// By the index of the partition.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) sent_at: BTreeMap<usize, Instant>,
    /// Those that will be answered.
    pub(super) due: BTreeSet<usize>,
}

impl NodePresence {
    pub(super) fn new() -> NodePresence {
        NodePresence {
            local: (0..PARTITION_COUNT).map(|_| Mutex::default()).collect(),
            remote: Mutex::new(RemotePresence::new()),
            requests: Mutex::default(),
            answers: Mutex::default(),
        }
    }

    /// Returns the versions of the users here, by the index of the partition, without those that have had none.
    pub(super) fn versions(&self) -> Vec<(usize, u64)> {
        let versions = self.local.iter().map(|local| ignore_poison(local.lock()).version()).enumerate();
        versions.filter(|(_, version)| *version > 0).collect()
    }

    pub(super) fn remote(&self) -> MutexGuard<'_, RemotePresence> {
        ignore_poison(self.remote.lock())
    }
}
