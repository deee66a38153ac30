//! The changes of one group's users that are still to be announced, at most one per user.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use smallvec::SmallVec;

use super::member::MemberScope;
use crate::consumer::Consumer;

/// The most changes that are announced in one pass over the members.
const MAX_CHANGES_PER_PASS: usize = 32;

/// The most former scopes that one change has.
const MAX_FORMER_SCOPES: usize = 3;

/// Scopes of one user.
pub(super) type Scopes<C> = SmallVec<[MemberScope<C>; 2]>;

/// A user that has become a member, is one no more, or is shown by another scope.
pub(super) struct PresenceChange<C: Consumer> {
    pub(super) user_id: Arc<str>,
    /// The scopes by which the user was shown since it was last announced, oldest first, without the current one. All of
    /// them, because a viewer may have listed the user by any.
    pub(super) former: Scopes<C>,
    /// Whether meanwhile the user was no member, or shown by a scope that `former` has no more.
    pub(super) was_hidden: bool,
    /// The scope by which the user is shown. `None` if it is no member.
    pub(super) current: Option<MemberScope<C>>,
}

impl<C: Consumer> PresenceChange<C> {
    /// Adds the scope by which the user is shown from now on. Moves scopes that are not needed any more to `removed`.
    fn push(&mut self, scope: Option<MemberScope<C>>, removed: &mut Scopes<C>) {
        match mem::replace(&mut self.current, scope) {
            Some(scope) => self.former.push(scope),
            None => self.was_hidden = true,
        }
        let current = self.current.as_ref().map(MemberScope::address);
        if let Some(index) = self.former.iter().position(|scope| Some(scope.address()) == current) {
            removed.push(self.former.remove(index));
        }
        if self.former.len() > MAX_FORMER_SCOPES {
            removed.push(self.former.remove(0));
            self.was_hidden = true;
        }
    }
}

impl<C: Consumer> Clone for PresenceChange<C> {
    fn clone(&self) -> Self {
        let PresenceChange { user_id, former, was_hidden, current } = self;
        PresenceChange {
            user_id: user_id.clone(),
            former: former.clone(),
            was_hidden: *was_hidden,
            current: current.clone(),
        }
    }
}

/// The pending changes.
pub(super) struct PresenceChanges<C: Consumer> {
    pending: HashMap<Arc<str>, PresenceChange<C>>,
    /// The users with a pending change, in the order in which these are announced.
    order: VecDeque<Arc<str>>,
    /// Whether a task announces them.
    is_announcing: bool,
}

impl<C: Consumer> PresenceChanges<C> {
    pub(super) fn new() -> PresenceChanges<C> {
        PresenceChanges { pending: HashMap::new(), order: VecDeque::new(), is_announcing: false }
    }

    /// Records that a user that was shown by the scope `former` is now shown by `current`; `None` if it was or is no member.
    /// Moves scopes that are not needed any more to `removed`.
    pub(super) fn record(
        &mut self,
        user_id: &Arc<str>,
        former: Option<MemberScope<C>>,
        current: Option<MemberScope<C>>,
        removed: &mut Scopes<C>,
    ) {
        let change = match self.pending.entry(user_id.clone()) {
            Entry::Occupied(pending) => {
                removed.extend(former);
                pending.into_mut()
            }
            Entry::Vacant(entry) => {
                self.order.push_back(user_id.clone());
                let user_id = user_id.clone();
                entry.insert(PresenceChange { user_id, former: Scopes::new(), was_hidden: false, current: former })
            }
        };
        change.push(current, removed);
    }

    /// Returns whether a task has to be started that announces the changes.
    pub(super) fn begin_announcing(&mut self) -> bool {
        !self.pending.is_empty() && !mem::replace(&mut self.is_announcing, true)
    }

    /// Returns the next changes to announce, of different users. If there are none, the task counts as ended.
    pub(super) fn next(&mut self) -> Vec<PresenceChange<C>> {
        let count = self.order.len().min(MAX_CHANGES_PER_PASS);
        let changes = self.order.drain(..count).filter_map(|user_id| self.pending.remove(&user_id)).collect();
        if count == 0 {
            // A burst leaves no memory.
            *self = PresenceChanges::new();
        }
        changes
    }

    /// Records that the task has ended before it had announced `changes`. They are pending again, and the next change starts
    /// another task. Moves scopes that are not needed any more to `removed`.
    pub(super) fn stop_announcing(&mut self, changes: &[Arc<PresenceChange<C>>], removed: &mut Scopes<C>) {
        self.is_announcing = false;
        for change in changes {
            let mut change = PresenceChange::clone(change);
            match self.pending.remove(&change.user_id) {
                Some(newer) => {
                    change.was_hidden |= newer.was_hidden;
                    newer.former.into_iter().for_each(|scope| change.push(Some(scope), removed));
                    change.push(newer.current, removed);
                }
                None => self.order.push_front(change.user_id.clone()),
            }
            self.pending.insert(change.user_id.clone(), change);
        }
    }
}
