//! What a machine knows of the users that are connected to another one, in one partition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::presence_message::{GroupId, PresenceContent, PresenceMessage};

/// The maximum number of users of one group on one machine. Others are left out, and the groups of the partition are not listed.
pub(super) const MAX_GROUP_USERS: usize = 32_768;

/// What a user and a group take besides their names, in bytes.
const USER_BYTES: usize = 160;
pub(super) const GROUP_BYTES: usize = 320;

/// How long nothing is asked of a machine again.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// How long a machine of which users had no room is not asked for them again.
const COMPLETION_INTERVAL: Duration = Duration::from_mins(1);

/// A user of a group.
pub(crate) type GroupUser = (GroupId, Arc<str>);

/// The users of one machine in one partition.
pub(super) struct MachinePresence {
    /// The version of the users. `None` before the first snapshot.
    pub(super) version: Option<u64>,
    /// Whether no change was missed, as far as is known.
    pub(super) is_current: bool,
    pub(super) users: Users,
    /// The parts of a snapshot that have arrived, with its version and their number.
    pub(super) snapshot: Option<(u64, u32, Users)>,
    /// The version that the last heartbeat has announced. What is missing then is missed with the next heartbeat, because a
    /// heartbeat may overtake messages of another channel.
    pub(super) announced: u64,
    /// When it was last known that the users are those of the machine.
    pub(super) confirmed_at: Instant,
    pub(super) requested_at: Option<Instant>,
}

/// Users, each with the number of its connections.
#[derive(Default)]
pub(super) struct Users {
    pub(super) groups: BTreeMap<GroupId, BTreeMap<Arc<str>, u32>>,
    pub(super) bytes: usize,
    /// Whether there was no room for all.
    pub(super) is_truncated: bool,
}

impl Users {
    /// Sets the number of connections of a user. Returns whether it has changed.
    fn set(&mut self, group: &GroupId, user_id: &str, connections: u32, max_bytes: usize) -> bool {
        if connections == 0 {
            let Some(users) = self.groups.get_mut(group) else { return false };
            let is_removed = users.remove(user_id).is_some();
            self.bytes -= if is_removed { USER_BYTES + user_id.len() } else { 0 };
            if users.is_empty() {
                self.groups.remove(group);
                self.bytes -= group_bytes(group);
            }
            return is_removed;
        }
        if let Some(known) = self.groups.get_mut(group).and_then(|users| users.get_mut(user_id)) {
            return std::mem::replace(known, connections) != connections;
        }
        let users = self.groups.get(group).map(BTreeMap::len);
        let bytes = USER_BYTES + user_id.len() + if users.is_none() { group_bytes(group) } else { 0 };
        let is_full = users.is_some_and(|count| count >= MAX_GROUP_USERS) || self.bytes + bytes > max_bytes;
        if is_full || !group.fits_with(user_id) {
            self.is_truncated = true;
            return false;
        }
        self.bytes += bytes;
        self.groups.entry(group.clone()).or_default().insert(user_id.into(), connections);
        true
    }

    pub(super) fn connections(&self, group: &GroupId, user_id: &str) -> u32 {
        self.groups.get(group).and_then(|users| users.get(user_id)).copied().unwrap_or(0)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = GroupUser> {
        self.groups.iter().flat_map(|(group, users)| users.keys().map(move |user_id| (group.clone(), user_id.clone())))
    }
}

fn group_bytes(group: &GroupId) -> usize {
    GROUP_BYTES + group.name.len() + group.key.len()
}

/// What a message of another machine has done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// The users with another number of connections to that machine.
    pub(super) changed: BTreeSet<GroupUser>,
    /// Whether the machine has to be asked for all its users, because a message was lost.
    pub(super) is_incomplete: bool,
}

impl MachinePresence {
    pub(super) fn new(now: Instant) -> MachinePresence {
        MachinePresence {
            version: None,
            is_current: false,
            users: Users::default(),
            snapshot: None,
            announced: 0,
            confirmed_at: now,
            requested_at: None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.users.bytes + self.snapshot.as_ref().map_or(0, |(_, _, users)| users.bytes)
    }

    fn confirm(&mut self, version: u64, now: Instant) {
        self.version = Some(version);
        self.is_current = true;
        self.confirmed_at = now;
    }

    /// Returns whether the machine may be asked now, and records that it is.
    fn may_request(&mut self, now: Instant) -> bool {
        let may_request = self.requested_at.is_none_or(|at| now.saturating_duration_since(at) >= REQUEST_INTERVAL);
        if may_request {
            self.requested_at = Some(now);
        }
        may_request
    }

    /// Returns whether the machine may be asked for users that had no room, and records that it is.
    fn may_complete(&mut self, now: Instant) -> bool {
        let was_asked = |at: Instant| now.saturating_duration_since(at) < COMPLETION_INTERVAL;
        !self.requested_at.is_some_and(was_asked) && self.may_request(now)
    }

    pub(super) fn receive(&mut self, message: &PresenceMessage<'_>, now: Instant, max_bytes: usize) -> Received {
        match message.content {
            PresenceContent::Change if self.version.is_some_and(|version| message.version <= version) => {
                Received::default()
            }
            PresenceContent::Change if self.version.is_some_and(|version| message.version == version + 1) => {
                self.confirm(message.version, now);
                let mut changed = BTreeSet::new();
                for (group, user_id, connections) in users(message) {
                    if self.users.set(&group, user_id, connections, max_bytes) {
                        changed.insert((group, user_id.into()));
                    }
                }
                Received { changed, is_incomplete: false }
            }
            PresenceContent::Change => {
                self.is_current = false;
                Received { changed: BTreeSet::new(), is_incomplete: self.may_request(now) }
            }
            PresenceContent::Snapshot { part, is_last } => {
                // It replaces the users that are known, so both may take this much for a moment.
                self.receive_part(message, (part, is_last), now, max_bytes)
            }
        }
    }

    fn receive_part(
        &mut self,
        message: &PresenceMessage<'_>,
        (part, is_last): (u32, bool),
        now: Instant,
        max_bytes: usize,
    ) -> Received {
        if self.is_current && self.version == Some(message.version) && !self.users.is_truncated {
            self.snapshot = None;
            return Received::default();
        }
        let (version, next_part, mut received) = match self.snapshot.take() {
            Some(snapshot) if part > 0 => snapshot,
            _ => (message.version, 0, Users::default()),
        };
        if (version, next_part) != (message.version, part) {
            // A part was lost.
            return Received { changed: BTreeSet::new(), is_incomplete: self.may_request(now) };
        }
        for (group, user_id, connections) in users(message) {
            received.set(&group, user_id, connections, max_bytes);
        }
        if !is_last {
            self.snapshot = Some((version, part.saturating_add(1), received));
            return Received::default();
        }
        // An older one is a repeated message.
        if self.version.is_some_and(|known| known > version) {
            return Received::default();
        }
        self.confirm(version, now);
        let former = std::mem::replace(&mut self.users, received);
        let is_changed =
            |(group, user_id): &GroupUser| former.connections(group, user_id) != self.users.connections(group, user_id);
        let changed = former.all().chain(self.users.all()).filter(is_changed).collect();
        Received { changed, is_incomplete: false }
    }

    /// Returns whether the machine has to be asked for its users.
    pub(super) fn announce(&mut self, version: u64, now: Instant) -> bool {
        let announced = std::mem::replace(&mut self.announced, version);
        match self.version {
            Some(known) if known >= version => {
                self.is_current = true;
                self.confirmed_at = now;
                self.users.is_truncated && self.may_complete(now)
            }
            // It may be under way.
            Some(known) if self.is_current && announced <= known => false,
            _ => {
                self.is_current = false;
                self.may_request(now)
            }
        }
    }
}

/// Returns the users of a message with their groups.
fn users<'m>(message: &'m PresenceMessage<'m>) -> impl Iterator<Item = (GroupId, &'m str, u32)> {
    message.groups.iter().flat_map(|group| {
        let id = GroupId { name: group.name.into(), fingerprint: group.fingerprint, key: group.key.into() };
        group.users.iter().map(move |(user_id, connections)| (id.clone(), *user_id, *connections))
    })
}
