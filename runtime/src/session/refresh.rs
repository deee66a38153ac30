//! A reported change of rights that has yet to be applied: the future [`Refresh`].

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::propagation::Propagation;
use super::revalidator::PendingRevalidation;
use super::session::{Session, SessionRegistry};
use crate::consumer::Consumer;
use crate::context::{ConnectionId, OwnEpochs, Scope};
use crate::grants::ObjectKey;

/// The future of a `refresh_*` call of [`Connections`](crate::Connections).
///
/// It does nothing until it is polled. When it completes, no event is delivered and no action starts on the rights from
/// before the change. The connect and group permissions of the connections concerned are evaluated again in the background;
/// [`revalidated`](Refresh::revalidated) waits for that too.
///
/// # Cancel safety
///
/// The first poll changes the rights of all connections concerned on this machine, before it returns. If the future is
/// dropped after that, the change and the revalidations continue.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Refresh<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// In an action: the id of its own session, and the epochs that the action begins there.
    own_session: Option<(ConnectionId, OwnEpochs)>,
    change: Change,
}

/// What has changed.
#[derive(Debug)]
pub(super) enum Change {
    Users(Vec<String>),
    Role(String),
    Object(ObjectKey),
    All,
}

impl<C: Consumer> Refresh<C> {
    pub(super) fn new(
        registry: Arc<SessionRegistry<C>>,
        own_session: Option<(ConnectionId, OwnEpochs)>,
        change: Change,
    ) -> Refresh<C> {
        Refresh { registry, own_session, change }
    }

    /// Applies the change, and waits until every connection concerned has been revalidated or has ended: connections whose
    /// connect permission no longer holds are closing, and memberships whose group permission no longer holds have ended.
    ///
    /// Each revalidation is bounded by [`Limits::action_timeout`](crate::Limits::action_timeout), and only some run at once.
    ///
    /// # Cancel safety
    ///
    /// As [`Refresh`]: only the wait is abandoned.
    ///
    /// ```standalone_crate
    /// # use portcullis::{Consumer, Connections};
    /// # async fn example<C: Consumer>(connections: Connections<C>) {
    /// let propagation = connections.refresh_user("7").revalidated().await;
    /// assert!(propagation.is_acknowledged());
    /// # }
    /// ```
    pub async fn revalidated(self) -> Propagation {
        for revalidation in self.apply() {
            revalidation.wait().await;
        }
        Propagation::Acknowledged {}
    }

    /// Begins the revalidation of every session concerned.
    fn apply(&self) -> Vec<PendingRevalidation> {
        let registry = &self.registry;
        match &self.change {
            Change::Object(object) => registry.forget_object(object),
            Change::All => registry.forget_all(),
            Change::Users(_) | Change::Role(_) => {}
        }
        // Before the sessions are looked up: a handshake that the lookup misses sees the new number.
        registry.record_change();
        let (sessions, invalidate): (_, fn(&Scope<C::User>)) = match &self.change {
            Change::Users(user_ids) => {
                (user_ids.iter().flat_map(|id| registry.sessions_of_user(id)).collect(), Scope::forget_grants)
            }
            Change::Role(role) => {
                let mut sessions = registry.sessions();
                sessions.retain(|session| may_have_role(session, role));
                (sessions, Scope::forget_grants)
            }
            // The base grants of the users have not changed.
            Change::Object(_) => (registry.sessions(), |_| ()),
            Change::All => (registry.sessions(), Scope::forget_grants),
        };
        sessions.iter().map(|session| self.begin_revalidation(session, invalidate)).collect()
    }

    fn begin_revalidation(&self, session: &Arc<Session<C>>, invalidate: fn(&Scope<C::User>)) -> PendingRevalidation {
        let revalidation = session.begin_revalidation(|| session.for_each_scope(invalidate));
        if let Some((own_id, own_epochs)) = &self.own_session
            && *own_id == session.id
        {
            own_epochs.add(revalidation.epoch);
        }
        revalidation
    }
}

/// Returns whether a user of the session holds the role. A replaced user may still have actions running.
fn may_have_role<C: Consumer>(session: &Session<C>, role: &str) -> bool {
    let is_concerned = Cell::new(false);
    session.for_each_scope(|scope| is_concerned.set(is_concerned.get() || scope.may_have_role(role)));
    is_concerned.get()
}

impl<C: Consumer> Future for Refresh<C> {
    type Output = Propagation;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Propagation> {
        // The revalidations continue without these handles.
        drop(self.apply());
        Poll::Ready(Propagation::Acknowledged {})
    }
}

impl<C: Consumer> fmt::Debug for Refresh<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refresh").field(&C::NAME).field(&self.change).finish()
    }
}
