//! The users of groups of one partition that are connected to this machine, as the others are told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::presence_message::{Entries, GroupId, PresenceContent, PresenceMessage};

/// The number of users of one partition with changes that are not sent yet, from which on all users are sent instead.
const MAX_UNSENT: usize = 4096;

/// The users of a partition, each with the number of its connections to this machine.
#[derive(Default)]
pub(super) struct LocalPresence {
    /// The number of messages about changes that were sent: the version of the users without those in `unsent`.
    version: u64,
    groups: BTreeMap<GroupId, BTreeMap<Arc<str>, u32>>,
    /// The users that have changed since.
    unsent: BTreeSet<(GroupId, Arc<str>)>,
    /// Whether users have changed that are not in `unsent`.
    is_unsent_incomplete: bool,
}

impl LocalPresence {
    /// Returns the version that was sent last. 0 if no user has ever been here.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Records the number of connections of a user that are members of a group. A group whose key is too large for a message is
    /// left out.
    pub(super) fn set(&mut self, group: &GroupId, user_id: &Arc<str>, connections: u32) {
        if !group.fits_with(user_id) {
            return;
        }
        let previous = match self.groups.get_mut(group) {
            Some(users) if connections == 0 => users.remove(user_id),
            Some(users) => users.insert(user_id.clone(), connections),
            None if connections == 0 => None,
            None => {
                self.groups.insert(group.clone(), BTreeMap::from([(user_id.clone(), connections)]));
                None
            }
        };
        if self.groups.get(group).is_some_and(BTreeMap::is_empty) {
            self.groups.remove(group);
        }
        if previous.unwrap_or(0) == connections || self.is_unsent_incomplete {
            return;
        }
        self.unsent.insert((group.clone(), user_id.clone()));
        if self.unsent.len() > MAX_UNSENT {
            self.unsent.clear();
            self.is_unsent_incomplete = true;
        }
    }

    /// Returns the messages that tell the others of the changes that were not sent yet.
    pub(super) fn take_unsent(&mut self) -> Vec<Vec<u8>> {
        if self.is_unsent_incomplete {
            return self.snapshot();
        }
        let unsent = std::mem::take(&mut self.unsent);
        let connections = |group, user_id| self.groups.get(group).and_then(|users| users.get(user_id)).copied();
        let users = unsent.iter().map(|(group, user_id)| (group, &**user_id, connections(group, user_id).unwrap_or(0)));
        let parts = Entries::encode(users);
        let mut messages = Vec::new();
        for entries in &parts {
            self.version += 1;
            messages.push(PresenceMessage::encode(self.version, PresenceContent::Change, entries));
        }
        messages
    }

    /// Returns the messages that tell the others of all users.
    pub(super) fn snapshot(&mut self) -> Vec<Vec<u8>> {
        if self.is_unsent_incomplete || !self.unsent.is_empty() {
            self.version += 1;
            self.unsent.clear();
            self.is_unsent_incomplete = false;
        }
        let users = self.groups.iter().flat_map(|(group, users)| {
            users.iter().map(move |(user_id, connections)| (group, &**user_id, *connections))
        });
        PresenceMessage::encode_snapshot(self.version, Entries::encode(users))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(room: u32) -> GroupId {
        GroupId { name: "Room".into(), fingerprint: 7, key: format!("[{room}]").into_bytes().into() }
    }

    /// Returns the version of a message with its users.
    fn users(message: &[u8]) -> (u64, Vec<(String, u32)>) {
        let message = PresenceMessage::decode(message).unwrap();
        let users = message.groups.into_iter().flat_map(|group| group.users);
        (message.version, users.map(|(user, connections)| (user.to_owned(), connections)).collect())
    }

    #[test]
    fn changes_of_a_user_are_sent_once_with_the_last_state() {
        let (mut presence, seven, eight) = (LocalPresence::default(), "7".into(), "8".into());
        presence.set(&room(1), &seven, 1);
        presence.set(&room(1), &eight, 1);
        presence.set(&room(1), &seven, 2);
        presence.set(&room(1), &eight, 0);
        let messages = presence.take_unsent();
        assert_eq!(users(&messages[0]), (1, vec![("7".to_owned(), 2), ("8".to_owned(), 0)]));
        assert_eq!((messages.len(), presence.version()), (1, 1));
        presence.set(&room(1), &seven, 2);
        assert!(presence.take_unsent().is_empty(), "nothing has changed");
    }

    #[test]
    fn snapshot_has_the_changes_that_were_not_sent() {
        let (mut presence, seven) = (LocalPresence::default(), "7".into());
        assert_eq!(users(&presence.snapshot()[0]), (0, Vec::new()));
        presence.set(&room(1), &seven, 1);
        assert_eq!(users(&presence.snapshot()[0]), (1, vec![("7".to_owned(), 1)]));
        assert!(presence.take_unsent().is_empty());
        assert_eq!(presence.snapshot().len(), 1);
        assert_eq!(presence.version(), 1, "the same users have the same version");
    }

    #[test]
    fn changes_while_the_link_is_down_take_bounded_memory() {
        let mut presence = LocalPresence::default();
        for user in 0..MAX_UNSENT * 2 {
            let user = user.to_string().into();
            presence.set(&room(1), &user, 1);
            presence.set(&room(1), &user, 0);
        }
        assert!(presence.groups.is_empty() && presence.unsent.is_empty());
        let messages = presence.take_unsent();
        assert_eq!((messages.len(), users(&messages[0])), (1, (1, Vec::new())));
    }
}
