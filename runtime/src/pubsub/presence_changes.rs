//! The changes of one group's users that are still to be announced, at most one per scope by which a user is shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::member::MemberScope;
use crate::consumer::Consumer;

/// A user whose first connection has joined a group, or whose last one has left it.
pub(super) struct PresenceChange<C: Consumer> {
    pub(super) user_id: Arc<str>,
    /// The scope by which members see the change: that of the first connection, for both.
    pub(super) scope: MemberScope<C>,
    pub(super) is_online: bool,
}

/// The pending changes, in the order in which they are announced.
pub(super) struct PresenceChanges<C: Consumer> {
    pending: BTreeMap<u64, PresenceChange<C>>,
    /// The number of the pending change per address of its scope.
    numbers: HashMap<usize, u64>,
    next_number: u64,
    /// Whether a task announces them.
    is_announcing: bool,
}

impl<C: Consumer> PresenceChanges<C> {
    pub(super) fn new() -> PresenceChanges<C> {
        PresenceChanges { pending: BTreeMap::new(), numbers: HashMap::new(), next_number: 0, is_announcing: false }
    }

    /// Adds a change. Returns an older one that it replaces, of the same user by the same scope: members who see the newer
    /// one need not see the older. A change by another scope stays, because other members may see it.
    pub(super) fn record(&mut self, change: PresenceChange<C>) -> Option<PresenceChange<C>> {
        let number = self.next_number;
        self.next_number += 1;
        let replaced = self.numbers.insert(change.scope.address(), number);
        self.pending.insert(number, change);
        replaced.and_then(|replaced| self.pending.remove(&replaced))
    }

    /// Returns whether a task has to be started that announces the changes.
    pub(super) fn begin_announcing(&mut self) -> bool {
        !self.pending.is_empty() && !std::mem::replace(&mut self.is_announcing, true)
    }

    /// Returns the next change to announce, or `None` if no change is pending. The task then counts as ended.
    pub(super) fn next(&mut self) -> Option<PresenceChange<C>> {
        let next = self.pending.pop_first().map(|(_, change)| change);
        match &next {
            Some(change) => _ = self.numbers.remove(&change.scope.address()),
            None => self.is_announcing = false,
        }
        next
    }

    /// Records that the task has ended before all changes were announced. The next change starts another one.
    pub(super) fn stop_announcing(&mut self) {
        self.is_announcing = false;
    }
}
