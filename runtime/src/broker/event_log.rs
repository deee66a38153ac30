//! Logs: the recent messages of groups with a history, which the broker keeps.
//!
//! A message for a log is appended to it, and passed on with its [`LogPosition`] on a channel of its own
//! ([`Channel::History`](super::Channel::History)). The broker does both in one step, so each machine receives the messages of
//! a log in the order of their positions, its own ones too.

use std::fmt;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};

#[cfg(any(feature = "nats", feature = "redis", feature = "testing"))]
use super::Channel;
use super::{MAX_MESSAGE_BYTES, Partition};

/// The length of an encoded [`LogPosition`].
const POSITION_LEN: usize = 16;

/// The size of the largest message of a log, in bytes, so that it is not too large with its position.
pub(super) const MAX_LOGGED_BYTES: usize = MAX_MESSAGE_BYTES - POSITION_LEN;

/// The size of the messages that one read of a log returns, in bytes. More are not read, as if some of them were not kept.
#[cfg(any(feature = "nats", feature = "redis"))]
pub(super) const MAX_READ_BYTES: usize = 8 * 1024 * 1024;

/// The log of one group, and how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogId {
    pub(crate) partition: Partition,
    name: LogName,
    pub(crate) max_messages: u32,
    pub(crate) max_age: Duration,
}

/// Identifies a log within its namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LogName([u8; 32]);

/// The position of a message in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// Identifies what the log has kept without interruption. Another one means that messages may be missing.
    pub(crate) epoch: u64,
    /// Rises with each message.
    pub(crate) sequence: u64,
}

/// A message that a log has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedMessage {
    pub(crate) sequence: u64,
    /// When the broker has received it, in milliseconds since 1970.
    pub(crate) received_at: u64,
    pub(crate) message: Bytes,
}

/// What was read from a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogContents {
    /// The position of the last message that was appended, which may not be kept any more.
    pub(crate) end: LogPosition,
    /// The messages after the position that was asked for, up to the end. `None` if some of them are not kept any more.
    pub(crate) messages: Option<Vec<LoggedMessage>>,
}

/// Where a link sends a message.
#[cfg(any(feature = "nats", feature = "redis", feature = "testing"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// A channel.
    Channel(Channel),
    /// A log, from which it is passed on to a channel.
    Log(LogId),
}

#[cfg(any(feature = "nats", feature = "redis", feature = "testing"))]
impl From<Channel> for Destination {
    fn from(channel: Channel) -> Destination {
        Destination::Channel(channel)
    }
}

impl LogId {
    /// Returns the log of a group with this encoded key. No two types of groups of a consumer have one name.
    pub(crate) fn new(name: &str, key: &[u8], max_messages: u32, max_age: Duration) -> LogId {
        // Each part after its length, so that different parts are different names.
        let parts = [name.as_bytes(), key];
        let hash = parts
            .iter()
            .fold(Sha256::new(), |hash, part| hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part));
        LogId {
            partition: Partition::of_group(name, key),
            name: LogName(hash.finalize().into()),
            max_messages,
            max_age,
        }
    }

    pub(crate) fn name(&self) -> LogName {
        self.name
    }
}

impl LogName {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The name in hexadecimal digits.
impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl LogPosition {
    /// Returns a message as it is passed on: after its position.
    pub(super) fn address(self, message: &[u8]) -> Bytes {
        let mut addressed = BytesMut::with_capacity(POSITION_LEN + message.len());
        addressed.put_u64(self.epoch);
        addressed.put_u64(self.sequence);
        addressed.put_slice(message);
        addressed.freeze()
    }

    /// Splits a message that was passed on. `None` if it is too short.
    pub(super) fn split(mut message: Bytes) -> Option<(LogPosition, Bytes)> {
        if message.len() < POSITION_LEN {
            return None;
        }
        let (epoch, sequence) = (message.get_u64(), message.get_u64());
        Some((LogPosition { epoch, sequence }, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_different_groups_have_different_names() {
        let name = |name, key: &[u8]| LogId::new(name, key, 1, Duration::ZERO).name();
        let names = [name("Room", b"[1]"), name("Room", b"[2]"), name("Rooms", b"[1]"), name("Room[", b"1]")];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
        assert_eq!(names[0], name("Room", b"[1]"));
        assert_eq!(names[0].to_string().len(), 64);
    }

    #[test]
    fn position_in_front_of_a_message_is_split_off() {
        let position = LogPosition { epoch: u64::MAX - 1, sequence: 7 };
        for message in [&b""[..], b"message"] {
            let split = LogPosition::split(position.address(message)).unwrap();
            assert_eq!((split.0, &*split.1), (position, message));
        }
        assert_eq!(LogPosition::split(Bytes::from_static(&[0; POSITION_LEN - 1])), None);
    }
}
