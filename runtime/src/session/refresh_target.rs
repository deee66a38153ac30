//! What a change of rights does at one endpoint, for [`Refresh`](super::refresh::Refresh).

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use tokio::time::timeout;

use super::deferred::PendingRevalidation;
use super::pending_raises::{MAX_RAISE_DELAY, PendingRaise, Raise};
use super::session::{Session, SessionRegistry};
use crate::broker::SentChange;
use crate::consumer::Consumer;
use crate::context::{ConnectionId, Handler, OwnEpochs, Scope};
use crate::grants::{GrantCache, ObjectKey};
use crate::sync::{Mutex, lock, oneshot};

/// What has changed.
#[derive(Debug)]
pub(super) enum Change {
    Users(Vec<String>),
    Role(String),
    Objects(Vec<ObjectKey>),
    All,
}

/// The sessions of one endpoint.
pub(super) trait RefreshTarget: Send + Sync {
    /// Forgets what the change concerns in the grant caches, and the users of other machines that it concerns.
    fn forget(&self, change: &Change);
    /// Raises the epochs of the sessions that the change concerns, or lets that wait.
    fn begin(self: Arc<Self>, change: &Change, own_session: Option<&(ConnectionId, OwnEpochs)>) -> Started;
    /// Passes the change on to the endpoint's other machines, if there are any.
    fn send(&self, change: &Change) -> Option<SentChange>;
}

/// A change that has begun at one endpoint.
pub(super) enum Started {
    /// The epochs are raised.
    Raised(Vec<PendingRevalidation>),
    /// They will be; the registry sees to it.
    Waiting(oneshot::Receiver<Vec<PendingRevalidation>>),
}

impl Started {
    /// Waits until the epochs are raised.
    pub(super) fn poll_raised(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Started::Waiting(receiver) = self {
            // A sender is dropped after the raise only.
            *self = Started::Raised(ready!(Pin::new(receiver).poll(cx)).unwrap_or_default());
        }
        Poll::Ready(())
    }

    pub(super) fn into_revalidations(self) -> Vec<PendingRevalidation> {
        match self {
            Started::Raised(revalidations) => revalidations,
            Started::Waiting(_) => Vec::new(),
        }
    }
}

/// Invalidates the grants of a scope.
type Invalidate<C> = fn(&Scope<<C as Handler>::User>);

/// The endpoints that use a grant cache, kept as its attachment.
#[derive(Default)]
struct LinkedTargets(Mutex<Vec<Weak<dyn RefreshTarget>>>);

impl<C: Consumer> SessionRegistry<C> {
    /// Adds a grant cache: changes of rights invalidate it, and those that are reported to another endpoint of the cache
    /// reach this one too.
    pub(crate) fn link(self: &Arc<Self>, cache: &GrantCache<C::User>) {
        self.add_grant_cache(cache.clone());
        let target: Weak<dyn RefreshTarget> = Arc::<Self>::downgrade(self);
        let linked = cache.attachment::<LinkedTargets>();
        let mut linked = lock(&linked.0);
        linked.retain(|other| other.strong_count() > 0 && !other.ptr_eq(&target));
        linked.push(target);
    }

    /// Returns this endpoint, and those that share a grant cache with it.
    pub(super) fn with_linked_targets(self: Arc<Self>) -> Vec<Arc<dyn RefreshTarget>> {
        let caches = self.grant_caches();
        let mut targets: Vec<Arc<dyn RefreshTarget>> = vec![self];
        for cache in caches {
            for target in lock(&cache.attachment::<LinkedTargets>().0).iter().filter_map(Weak::upgrade) {
                if !targets.iter().any(|known| Arc::ptr_eq(known, &target)) {
                    targets.push(target);
                }
            }
        }
        targets
    }

    /// Returns the sessions that a change concerns, and what invalidates their grants.
    fn sessions_concerned(&self, change: &Change) -> (Vec<Arc<Session<C>>>, Invalidate<C>) {
        match change {
            Change::Users(user_ids) => {
                (user_ids.iter().flat_map(|id| self.sessions_of_user(id)).collect(), Scope::forget_grants)
            }
            Change::Role(role) => (self.sessions_where(|scope| scope.may_have_role(role)), Scope::forget_grants),
            // The base grants of the users have not changed.
            Change::Objects(objects) => {
                (self.sessions_where(|scope| objects.iter().any(|object| scope.has_evaluated(object))), |_| ())
            }
            Change::All => (self.sessions(), Scope::forget_grants),
        }
    }

    /// Returns the sessions with a scope for which the condition holds. A replaced user may still have actions running.
    fn sessions_where(&self, is_concerned: impl Fn(&Scope<C::User>) -> bool) -> Vec<Arc<Session<C>>> {
        let mut sessions = self.sessions();
        sessions.retain(|session| {
            let is_any = Cell::new(false);
            session.for_each_scope(|scope| is_any.set(is_any.get() || is_concerned(scope)));
            is_any.get()
        });
        sessions
    }

    /// Raises the epochs for all changes that wait. A session that several of them concern is raised once, except that an
    /// action is not reauthorized for its own change, which therefore has an epoch of its own.
    fn raise_pending(&self) {
        let mut changes = self.pending_raises.take();
        let mut revalidations: Vec<Vec<PendingRevalidation>> = changes.iter().map(|_| Vec::new()).collect();
        let mut shared: HashMap<ConnectionId, (Arc<Session<C>>, Vec<usize>)> = HashMap::new();
        for (index, change) in changes.iter_mut().enumerate() {
            for session in mem::take(&mut change.sessions) {
                match &change.own_session {
                    Some((own_id, own_epochs)) if *own_id == session.id => {
                        let revalidation = session.begin_revalidation(|| ());
                        own_epochs.add(revalidation.epoch);
                        revalidations[index].push(revalidation);
                    }
                    _ => shared.entry(session.id).or_insert_with(|| (session, Vec::new())).1.push(index),
                }
            }
        }
        for (session, callers) in shared.into_values() {
            for (index, revalidation) in callers.iter().zip(session.begin_shared_revalidation(callers.len())) {
                revalidations[*index].push(revalidation);
            }
        }
        for (change, revalidations) in changes.into_iter().zip(revalidations) {
            // The call may have been dropped.
            let _ = change.raised.send(revalidations);
        }
    }
}

/// The task that raises the changes that wait, even if it is dropped because its runtime ends.
struct RaiseTask<C: Consumer>(Arc<SessionRegistry<C>>);

impl<C: Consumer> Drop for RaiseTask<C> {
    fn drop(&mut self) {
        self.0.raise_pending();
    }
}

impl<C: Consumer> RefreshTarget for SessionRegistry<C> {
    fn send(&self, change: &Change) -> Option<SentChange> {
        self.send_change(change)
    }

    fn forget(&self, change: &Change) {
        match change {
            Change::Objects(objects) => objects.iter().for_each(|object| self.forget_object(object)),
            Change::All => self.forget_all(),
            Change::Users(_) | Change::Role(_) => {}
        }
        let Some(users) = self.remote_users.get() else { return };
        match change {
            Change::Users(user_ids) => user_ids.iter().for_each(|user_id| users.forget_user(user_id)),
            // The roles of users that are not connected here are not known.
            Change::Role(_) | Change::All => users.forget_all(),
            Change::Objects(_) => {}
        }
    }

    fn begin(self: Arc<Self>, change: &Change, own_session: Option<&(ConnectionId, OwnEpochs)>) -> Started {
        // Before the sessions are looked up: a handshake that the lookup misses sees the new number.
        self.record_change();
        let (sessions, invalidate) = self.sessions_concerned(change);
        let Some(session) = sessions.first().cloned() else { return Started::Raised(Vec::new()) };
        // Before the change is added, which may be raised at once by another thread. Evaluations that begin from now on load
        // anew, however long the change waits.
        for session in &sessions {
            session.for_each_scope(invalidate);
        }
        let (raised, receiver) = oneshot::channel();
        match self.pending_raises.add(PendingRaise { sessions, own_session: own_session.cloned(), raised }) {
            Raise::Now(PendingRaise { sessions, .. }) => {
                let begin = |session: &Arc<Session<C>>| {
                    let revalidation = session.begin_revalidation(|| ());
                    if let Some((own_id, own_epochs)) = own_session
                        && *own_id == session.id
                    {
                        own_epochs.add(revalidation.epoch);
                    }
                    revalidation
                };
                return Started::Raised(sessions.iter().map(begin).collect());
            }
            Raise::ByTask => {}
            Raise::ByNewTask => {
                let task = RaiseTask(self);
                session.runtime.spawn(async move {
                    let registry = &task.0;
                    let _ = timeout(MAX_RAISE_DELAY, poll_fn(|cx| registry.pending_raises.poll_ready(cx))).await;
                });
            }
        }
        Started::Waiting(receiver)
    }
}
