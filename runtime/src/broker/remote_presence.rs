//! What a machine knows of the users that are connected to the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::channel::PARTITION_COUNT;
use super::machine_id::MachineId;
use super::machine_presence::{GROUP_BYTES, GroupUser, MachinePresence, Received};
use super::presence_message::{GroupId, PresenceMessage};

/// The memory for users of other machines, in bytes: some 300,000 users with short ids. Users beyond that are left out, and
/// the groups of their partitions are not listed.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The users of other machines. Ordered, so that a simulation runs the same way each time.
pub(super) struct RemotePresence {
    /// By the index of the partition.
    machines: BTreeMap<(usize, MachineId), MachinePresence>,
    /// By the index of the partition: when the others were asked for their users, because it was subscribed.
    asked_at: [Option<Instant>; PARTITION_COUNT as usize],
    bytes: usize,
    max_bytes: usize,
}

impl RemotePresence {
    pub(super) fn new() -> RemotePresence {
        RemotePresence {
            machines: BTreeMap::new(),
            asked_at: [None; PARTITION_COUNT as usize],
            bytes: 0,
            max_bytes: MAX_BYTES,
        }
    }

    /// Calls a function with what is known of a machine and with the memory that it may have, and counts the memory after it.
    fn with<T>(
        &mut self,
        key: (usize, MachineId),
        now: Instant,
        change: impl FnOnce(&mut MachinePresence, usize) -> T,
    ) -> T {
        let machine = self.machines.entry(key).or_insert_with(|| {
            self.bytes += GROUP_BYTES;
            MachinePresence::new(now)
        });
        let others = self.bytes - machine.bytes();
        let result = change(machine, self.max_bytes.saturating_sub(others).max(machine.users.bytes));
        self.bytes = others + machine.bytes();
        result
    }

    /// Returns whether there is room for what is known of a further machine.
    fn has_room_for(&self, key: (usize, MachineId)) -> bool {
        self.bytes < self.max_bytes || self.machines.contains_key(&key)
    }

    /// Receives a message of a machine in a partition.
    pub(super) fn receive(&mut self, key: (usize, MachineId), message: &PresenceMessage<'_>, now: Instant) -> Received {
        if !self.has_room_for(key) {
            return Received::default();
        }
        self.with(key, now, |machine, max_bytes| machine.receive(message, now, max_bytes))
    }

    /// Records the version that the users of a machine have. Returns whether it has to be asked for them.
    pub(super) fn announce(&mut self, key: (usize, MachineId), version: u64, now: Instant) -> bool {
        if !self.has_room_for(key) {
            return false;
        }
        self.with(key, now, |machine, _| {
            if machine.version.is_none() && version == 0 {
                // No user has ever been there.
                machine.version = Some(0);
            }
            machine.announce(version, now)
        })
    }

    /// Records that a partition is subscribed, and that all machines are asked for their users.
    pub(super) fn begin(&mut self, partition: usize, now: Instant) {
        self.asked_at[partition] = Some(now);
        for ((_, _), machine) in self.machines.range_mut(partition_range(partition)) {
            machine.is_current = false;
            machine.requested_at = Some(now);
        }
    }

    /// Forgets a partition that is not subscribed any more.
    pub(super) fn end(&mut self, partition: usize) {
        self.asked_at[partition] = None;
        self.remove(|key, _| key.0 == partition);
    }

    /// Forgets a machine, and returns its users.
    pub(super) fn forget(&mut self, machine: MachineId) -> BTreeSet<GroupUser> {
        self.remove(|key, _| key.1 == machine)
    }

    /// Forgets machines of which nothing was heard for this time, and returns their users.
    pub(super) fn expire(&mut self, max_silence: Duration, now: Instant) -> BTreeSet<GroupUser> {
        self.remove(|_, machine| now.saturating_duration_since(machine.confirmed_at) >= max_silence)
    }

    fn remove(&mut self, is_removed: impl Fn(&(usize, MachineId), &MachinePresence) -> bool) -> BTreeSet<GroupUser> {
        let mut removed = BTreeSet::new();
        self.machines.retain(|key, machine| {
            let is_kept = !is_removed(key, machine);
            if !is_kept {
                self.bytes -= machine.bytes() + GROUP_BYTES;
                removed.extend(machine.users.all());
            }
            is_kept
        });
        removed
    }

    /// Returns whether the users of all these machines in a partition are known.
    pub(super) fn is_current(&self, partition: usize, machines: &BTreeSet<MachineId>) -> bool {
        let is_current =
            |id: &MachineId| self.machines.get(&(partition, *id)).is_some_and(|machine| machine.is_current);
        machines.iter().all(is_current)
    }

    /// Returns when all machines were asked for their users in a partition. `None` if it is not subscribed.
    pub(super) fn asked_at(&self, partition: usize) -> Option<Instant> {
        self.asked_at[partition]
    }

    fn of_partition(&self, partition: usize) -> impl Iterator<Item = &MachinePresence> {
        self.machines.range(partition_range(partition)).map(|(_, machine)| machine)
    }

    /// Returns the number of connections of a user to other machines that are members of a group.
    pub(super) fn connections(&self, partition: usize, group: &GroupId, user_id: &str) -> usize {
        self.of_partition(partition).map(|machine| machine.users.connections(group, user_id) as usize).sum()
    }

    /// Returns the users of a group on other machines.
    pub(super) fn users(&self, partition: usize, group: &GroupId) -> BTreeMap<Arc<str>, usize> {
        let mut users = BTreeMap::new();
        for (user_id, connections) in
            self.of_partition(partition).filter_map(|one| one.users.groups.get(group)).flatten()
        {
            *users.entry(user_id.clone()).or_insert(0) += *connections as usize;
        }
        users
    }

    /// Returns whether users of a partition are left out, because there was no room for them.
    pub(super) fn is_truncated(&self, partition: usize) -> bool {
        self.bytes >= self.max_bytes || self.of_partition(partition).any(|machine| machine.users.is_truncated)
    }
}

fn partition_range(partition: usize) -> std::ops::RangeInclusive<(usize, MachineId)> {
    (partition, MachineId::from_bytes([0; 16]))..=(partition, MachineId::from_bytes([255; 16]))
}

#[cfg(test)]
mod tests;
