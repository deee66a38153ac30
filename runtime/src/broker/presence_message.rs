//! Which users are connected to a machine: what it tells the others of the groups of one partition, and its encoding.
//!
//! ```text
//! change:   2 | version 8 bytes | entries
//! snapshot: 3 | version 8 bytes | part 4 bytes | last part? 1 byte | entries
//! entry:    0 | name | fingerprint 8 bytes | key      the group of the entries that follow
//!           1 | user id | connections 4 bytes         0 if the user has left
//! ```

use std::sync::Arc;

use bytes::BufMut;

use super::MAX_MESSAGE_BYTES;
use super::message::{Reader, Unreadable, put_bytes};

/// The size of the entries of one message in bytes, from which on the others go into a further one.
const MAX_ENTRY_BYTES: usize = MAX_MESSAGE_BYTES / 4;

/// The maximum size of a group with one user in bytes. Users of groups with larger keys are known to their own machine only.
const MAX_GROUP_BYTES: usize = 64 * 1024;

/// A group, as machines name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupId {
    /// The name of the type.
    pub(crate) name: Arc<str>,
    /// The fingerprint of the type.
    pub(crate) fingerprint: u64,
    /// The encoded key.
    pub(crate) key: Arc<[u8]>,
}

impl GroupId {
    /// Returns whether a message has room for the group with this user.
    pub(super) fn fits_with(&self, user_id: &str) -> bool {
        self.name.len() + self.key.len() + user_id.len() <= MAX_GROUP_BYTES
    }
}

/// A message about the users that are connected to a machine. Such messages have an order, the version, so that a lost one is
/// noticed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PresenceMessage<'a> {
    /// The version that the users have with this message.
    pub(super) version: u64,
    pub(super) content: PresenceContent,
    pub(super) groups: Vec<GroupUsers<'a>>,
}

/// What the groups of a message are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PresenceContent {
    /// What has changed since the version before.
    Change,
    /// A part of all users.
    Snapshot { part: u32, is_last: bool },
}

/// Users of one group, each with the number of its connections to the machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GroupUsers<'a> {
    pub(super) name: &'a str,
    pub(super) fingerprint: u64,
    pub(super) key: &'a [u8],
    pub(super) users: Vec<(&'a str, u32)>,
}

/// The first byte of the payload. Events begin with smaller ones.
const CHANGE: u8 = 2;
const SNAPSHOT: u8 = 3;

const GROUP: u8 = 0;
const USER: u8 = 1;

/// Encoded entries.
pub(super) struct Entries(Vec<u8>);

impl Entries {
    /// Encodes users, as many parts as it takes. Those of one group are adjacent.
    pub(super) fn encode<'e>(users: impl IntoIterator<Item = (&'e GroupId, &'e str, u32)>) -> Vec<Entries> {
        let (mut parts, mut entries) = (Vec::new(), Vec::new());
        let mut last: Option<&GroupId> = None;
        for (group, user_id, connections) in users {
            if entries.len() + group.key.len() + group.name.len() + user_id.len() > MAX_ENTRY_BYTES {
                parts.push(Entries(std::mem::take(&mut entries)));
                last = None;
            }
            if last != Some(group) {
                entries.put_u8(GROUP);
                put_bytes(&mut entries, group.name.as_bytes());
                entries.put_u64(group.fingerprint);
                put_bytes(&mut entries, &group.key);
                last = Some(group);
            }
            entries.put_u8(USER);
            put_bytes(&mut entries, user_id.as_bytes());
            entries.put_u32(connections);
        }
        if !entries.is_empty() {
            parts.push(Entries(entries));
        }
        parts
    }

    fn decode<'a>(reader: &mut Reader<'a>) -> Result<Vec<GroupUsers<'a>>, Unreadable> {
        let mut groups: Vec<GroupUsers<'a>> = Vec::new();
        while !reader.0.is_empty() {
            match (reader.u8()?, groups.last_mut()) {
                (GROUP, _) => {
                    let (name, fingerprint, key) = (reader.text()?, reader.u64()?, reader.bytes()?);
                    groups.push(GroupUsers { name, fingerprint, key, users: Vec::new() });
                }
                (USER, Some(group)) => group.users.push((reader.text()?, reader.u32()?)),
                _ => return Err(Unreadable::Malformed),
            }
        }
        Ok(groups)
    }
}

impl<'a> PresenceMessage<'a> {
    /// Returns whether a payload is such a message, and not an event.
    pub(super) fn is_payload(payload: &[u8]) -> bool {
        matches!(payload.first(), Some(&(CHANGE | SNAPSHOT)))
    }

    /// Encodes the message as a payload.
    pub(super) fn encode(version: u64, content: PresenceContent, entries: &Entries) -> Vec<u8> {
        let mut payload = Vec::with_capacity(16 + entries.0.len());
        match content {
            PresenceContent::Change => {
                payload.put_u8(CHANGE);
                payload.put_u64(version);
            }
            PresenceContent::Snapshot { part, is_last } => {
                payload.put_u8(SNAPSHOT);
                payload.put_u64(version);
                payload.put_u32(part);
                payload.put_u8(u8::from(is_last));
            }
        }
        payload.put_slice(&entries.0);
        payload
    }

    /// Encodes all users, in one message per part.
    pub(super) fn encode_snapshot(version: u64, mut parts: Vec<Entries>) -> Vec<Vec<u8>> {
        if parts.is_empty() {
            parts.push(Entries(Vec::new()));
        }
        let last = parts.len() - 1;
        let encode = |(index, entries)| {
            // Fewer parts than that fit into the memory.
            let part = u32::try_from(index).unwrap_or(u32::MAX);
            PresenceMessage::encode(version, PresenceContent::Snapshot { part, is_last: index == last }, entries)
        };
        parts.iter().enumerate().map(encode).collect()
    }

    /// Decodes a payload.
    pub(super) fn decode(payload: &'a [u8]) -> Result<PresenceMessage<'a>, Unreadable> {
        let mut reader = Reader(payload);
        let kind = reader.u8()?;
        let version = reader.u64()?;
        let content = match kind {
            CHANGE => PresenceContent::Change,
            SNAPSHOT => {
                let part = reader.u32()?;
                let is_last = match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Unreadable::Malformed),
                };
                PresenceContent::Snapshot { part, is_last }
            }
            _ => return Err(Unreadable::Malformed),
        };
        Ok(PresenceMessage { version, content, groups: Entries::decode(&mut reader)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(key: &str) -> GroupId {
        GroupId { name: "Room".into(), fingerprint: 7, key: key.as_bytes().into() }
    }

    #[test]
    fn message_decodes_to_what_was_encoded() {
        let (one, other) = (room("[1]"), room("[2]"));
        let entries = &Entries::encode([(&one, "7", 1), (&one, "ü", 0), (&other, "", u32::MAX)])[0];
        for content in [PresenceContent::Change, PresenceContent::Snapshot { part: 3, is_last: true }] {
            let payload = PresenceMessage::encode(9, content, entries);
            assert!(PresenceMessage::is_payload(&payload));
            let message = PresenceMessage::decode(&payload).unwrap();
            assert_eq!((message.version, message.content), (9, content));
            let users: Vec<_> = message.groups.iter().map(|group| (group.key, group.users.clone())).collect();
            assert_eq!(users, [(&b"[1]"[..], vec![("7", 1), ("ü", 0)]), (&b"[2]"[..], vec![("", u32::MAX)])]);
            assert!(message.groups.iter().all(|group| (group.name, group.fingerprint) == ("Room", 7)));
            for length in 0..payload.len() {
                assert_ne!(PresenceMessage::decode(&payload[..length]).as_ref(), Ok(&message));
            }
        }
        assert_eq!(PresenceMessage::decode(&[2, 0, 0, 0, 0, 0, 0, 0, 1, USER]), Err(Unreadable::Malformed));
    }

    #[test]
    fn large_snapshot_is_split_below_the_size_of_a_message() {
        let (group, users) = (room(&"k".repeat(40_000)), (0..20_000).map(|user| format!("{user:0>40}")));
        let users: Vec<String> = users.collect();
        let parts = Entries::encode(users.iter().map(|user| (&group, user.as_str(), 1)));
        let messages = PresenceMessage::encode_snapshot(1, parts);
        assert!(messages.len() > 3);
        let mut decoded = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            assert!(message.len() < MAX_MESSAGE_BYTES / 2);
            let message = PresenceMessage::decode(message).unwrap();
            let is_last = index + 1 == messages.len();
            assert_eq!(message.content, PresenceContent::Snapshot { part: index.try_into().unwrap(), is_last });
            decoded.extend(message.groups.into_iter().flat_map(|group| group.users).map(|(user, _)| user.to_owned()));
        }
        assert_eq!(decoded, users);
    }

    #[test]
    fn snapshot_without_users_is_one_message() {
        let messages = PresenceMessage::encode_snapshot(0, Vec::new());
        let message = PresenceMessage::decode(&messages[0]).unwrap();
        assert_eq!((messages.len(), message.content), (1, PresenceContent::Snapshot { part: 0, is_last: true }));
    }
}
