//! Lingering sessions: the peer has closed the connection, and messages that were read before are still to begin.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::context::ConnectionId;
use crate::sync::{Mutex, lock};

/// Maximum number of lingering sessions of one user or, for anonymous connections, of one address.
const MAX_LINGERING_PER_PEER: usize = 8;

/// The user or the address that a connection belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    User(String),
    Address(std::net::IpAddr),
    /// Neither is known. Only the limit per endpoint applies.
    Unknown,
}

/// The lingering sessions of one endpoint, oldest first.
pub(crate) struct LingeringSessions<S> {
    /// No lock is taken under it.
    list: Mutex<VecDeque<LingeringSession<S>>>,
}

struct LingeringSession<S> {
    id: ConnectionId,
    peer: Peer,
    session: Arc<S>,
}

impl<S> LingeringSessions<S> {
    pub(crate) fn new() -> LingeringSessions<S> {
        LingeringSessions { list: Mutex::default() }
    }

    /// Adds a session. If that exceeds `max_sessions`, or the limit of its peer, removes and returns the oldest session, or
    /// the oldest of that peer: it must begin nothing more.
    #[must_use]
    pub(crate) fn insert(&self, id: ConnectionId, peer: Peer, session: &Arc<S>, max_sessions: usize) -> Option<Arc<S>> {
        let mut list = lock(&self.list);
        let of_peer = |other: &LingeringSession<S>| peer != Peer::Unknown && other.peer == peer;
        let oldest = if list.iter().filter(|other| of_peer(other)).count() >= MAX_LINGERING_PER_PEER {
            list.iter().position(of_peer)
        } else {
            (list.len() >= max_sessions).then_some(0)
        };
        list.push_back(LingeringSession { id, peer, session: session.clone() });
        oldest.and_then(|oldest| list.remove(oldest)).map(|oldest| oldest.session)
    }

    /// Removes a session that has begun its last action.
    pub(crate) fn remove(&self, id: ConnectionId) {
        let mut list = lock(&self.list);
        let removed = list.iter().position(|other| other.id == id).and_then(|index| list.remove(index));
        drop(list);
        // Not under the lock: dropping a session may run the application's code.
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inserts sessions that are named by numbers, and returns which one must begin nothing more.
    fn insert(sessions: &LingeringSessions<u32>, name: u32, peer: Peer, max_sessions: usize) -> Option<u32> {
        sessions.insert(ConnectionId::random().unwrap(), peer, &Arc::new(name), max_sessions).map(|oldest| *oldest)
    }

    #[test]
    fn oldest_of_a_peer_above_its_limit_is_removed() {
        let sessions = LingeringSessions::new();
        let peer = |name: &str| Peer::User(name.to_owned());
        assert_eq!(insert(&sessions, 100, peer("other"), 1024), None);
        for name in 0..8 {
            assert_eq!(insert(&sessions, name, peer("7"), 1024), None);
        }
        assert_eq!(insert(&sessions, 8, peer("7"), 1024), Some(0));
        assert_eq!(insert(&sessions, 9, peer("7"), 1024), Some(1));
        for name in 10..30 {
            assert_eq!(insert(&sessions, name, Peer::Unknown, 1024), None, "no limit for peers that are unknown");
        }
    }

    #[test]
    fn oldest_of_all_above_the_limit_of_the_endpoint_is_removed() {
        let sessions = LingeringSessions::new();
        let id = ConnectionId::random().unwrap();
        assert!(sessions.insert(id, Peer::Unknown, &Arc::new(0), 2).is_none());
        assert_eq!(insert(&sessions, 1, Peer::Unknown, 2), None);
        assert_eq!(insert(&sessions, 2, Peer::Unknown, 2), Some(0));
        sessions.remove(id);
        assert_eq!(insert(&sessions, 3, Peer::Unknown, 2), Some(1), "the removed one was not counted twice");
    }

    #[test]
    fn no_session_lingers_if_the_limit_is_zero() {
        let sessions = LingeringSessions::new();
        assert_eq!(insert(&sessions, 0, Peer::Unknown, 0), Some(0));
        assert_eq!(insert(&sessions, 1, Peer::Unknown, 0), Some(1));
    }
}
