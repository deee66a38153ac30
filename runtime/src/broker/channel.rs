//! The channels of a namespace: a fixed number of partitions that share the groups and users, each with a second channel for
//! groups with a history, and one for control messages.

use std::fmt;
use std::ops::BitOrAssign;

use sha2::{Digest, Sha256};

/// The number of partitions. The same for all machines of a service, or they do not find each other's groups.
pub(crate) const PARTITION_COUNT: u8 = 128;

/// The number of channels of a namespace.
pub(crate) const CHANNEL_COUNT: usize = 2 * PARTITION_COUNT as usize + 1;

/// The index of the first channel of groups with a history.
const FIRST_HISTORY: usize = PARTITION_COUNT as usize + 1;

/// What the names of these channels start with.
#[cfg(any(feature = "nats", feature = "redis"))]
const HISTORY_PREFIX: &str = "history-";

/// A part of the groups and users of a consumer, by a hash of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u8);

impl Partition {
    /// Returns the partition of the groups of a type with this encoded key.
    pub(crate) fn of_group(name: &str, key: &[u8]) -> Partition {
        Partition::of(&[b"group", name.as_bytes(), key])
    }

    /// Returns the partition of a user.
    pub(crate) fn of_user(user_id: &str) -> Partition {
        Partition::of(&[b"user", user_id.as_bytes()])
    }

    /// Returns the partition of a name that consists of these parts. The same on all machines.
    fn of(parts: &[&[u8]]) -> Partition {
        // Each after its length, so that different parts are different names.
        let hash = |hash: Sha256, part: &&[u8]| hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part);
        let hash = parts.iter().fold(Sha256::new(), hash).finalize();
        Partition(hash[0] % PARTITION_COUNT)
    }
}

/// A set of partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PartitionSet(u128);

impl PartitionSet {
    pub(crate) fn insert(&mut self, Partition(number): Partition) {
        self.0 |= 1 << number;
    }

    pub(crate) fn remove(&mut self, Partition(number): Partition) {
        self.0 &= !(1 << number);
    }

    pub(crate) fn contains(self, Partition(number): Partition) -> bool {
        self.0 & (1 << number) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Partition> {
        (0..PARTITION_COUNT).map(Partition).filter(move |partition| self.contains(*partition))
    }
}

impl From<Partition> for PartitionSet {
    fn from(partition: Partition) -> PartitionSet {
        let mut partitions = PartitionSet::default();
        partitions.insert(partition);
        partitions
    }
}

impl BitOrAssign for PartitionSet {
    fn bitor_assign(&mut self, other: PartitionSet) {
        self.0 |= other.0;
    }
}

/// Where messages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Events of the groups and users of a partition.
    Partition(Partition),
    /// What concerns all machines: changes of rights, and who is there.
    Control,
    /// Events of the groups of a partition that have a history, each after its position.
    History(Partition),
}

impl Channel {
    /// Returns the index of the channel, which is less than [`CHANNEL_COUNT`].
    pub(crate) fn index(self) -> usize {
        match self {
            Channel::Partition(Partition(number)) => usize::from(number),
            Channel::Control => usize::from(PARTITION_COUNT),
            Channel::History(Partition(number)) => FIRST_HISTORY + usize::from(number),
        }
    }

    /// Returns the partition whose events are published on the channel.
    pub(crate) fn partition(self) -> Option<Partition> {
        match self {
            Channel::Partition(partition) | Channel::History(partition) => Some(partition),
            Channel::Control => None,
        }
    }

    /// Returns the channel with a name, see its [`Display`](fmt::Display) form.
    #[cfg(any(feature = "nats", feature = "redis"))]
    pub(super) fn from_name(name: &str) -> Option<Channel> {
        if name == "control" {
            return Some(Channel::Control);
        }
        let history = name.strip_prefix(HISTORY_PREFIX);
        let number: u8 = history.unwrap_or(name).parse().ok()?;
        let partition = Some(Partition(number)).filter(|_| number < PARTITION_COUNT)?;
        Some(if history.is_some() { Channel::History(partition) } else { Channel::Partition(partition) })
    }

    /// Returns the channel with an index.
    pub(crate) fn from_index(index: usize) -> Option<Channel> {
        let partition = |index| u8::try_from(index).ok().filter(|number| *number < PARTITION_COUNT).map(Partition);
        if index == Channel::Control.index() {
            return Some(Channel::Control);
        }
        match index.checked_sub(FIRST_HISTORY) {
            Some(index) => partition(index).map(Channel::History),
            None => partition(index).map(Channel::Partition),
        }
    }
}

/// The name of the channel within its namespace: `0` to `127`, `history-0` to `history-127`, or `control`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Channel::Partition(Partition(number)) => number.fmt(f),
            Channel::Control => f.write_str("control"),
            Channel::History(Partition(number)) => write!(f, "history-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_name_tell_channels_apart() {
        let channels: Vec<Channel> = (0..CHANNEL_COUNT).filter_map(Channel::from_index).collect();
        assert_eq!(channels.len(), CHANNEL_COUNT);
        let mut names: Vec<String> = channels.iter().map(Channel::to_string).collect();
        assert!(channels.iter().enumerate().all(|(index, channel)| channel.index() == index));
        #[cfg(any(feature = "nats", feature = "redis"))]
        assert!(channels.iter().all(|channel| Channel::from_name(&channel.to_string()) == Some(*channel)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHANNEL_COUNT);
        assert_eq!(Channel::from_index(CHANNEL_COUNT), None);
    }

    #[test]
    fn partitions_are_even_and_the_same_on_all_machines() {
        let mut counts = [0_u32; PARTITION_COUNT as usize];
        for room in 0..64_000 {
            let partition = Partition::of(&[b"group", b"Room", format!("[{room}]").as_bytes()]);
            counts[Channel::Partition(partition).index()] += 1;
        }
        assert!(counts.iter().all(|count| (380..620).contains(count)), "{counts:?}");
        // What other machines use. A change makes it impossible to run two versions side by side.
        let index = |partition| Channel::Partition(partition).index();
        let indexes = [Partition::of_group("Room", b"[5]"), Partition::of_user("7"), Partition::of_user("")].map(index);
        assert_eq!(indexes, [110, 74, 12]);
        assert_ne!(Partition::of(&[b"ab", b"c"]), Partition::of(&[b"a", b"bc"]));
    }
}
