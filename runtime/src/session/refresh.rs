//! A reported change of rights that has yet to be applied: the future [`Refresh`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::refresh_target::{Change, Started};
use super::session::SessionRegistry;
use crate::broker::{Propagation, SentChange};
use crate::consumer::Consumer;
use crate::context::{ConnectionId, OwnEpochs};
use crate::sync::ignore_poison;

/// The future of a `refresh_*` call of [`Connections`](crate::Connections).
///
/// It does nothing until it is polled. When it completes, no event is delivered and no action starts on the rights from
/// before the change, on this machine and on those in `by` of the [`Propagation`].
///
/// On one machine it completes at its first poll, unless changes come so fast that evaluations make no progress: then
/// several changes take effect together, after at most 100 ms. With a [broker](crate::Endpoint::broker) it also waits for
/// the other machines, for two seconds at most. The connect and group permissions of the connections concerned are evaluated
/// again in the background; [`revalidated`](Refresh::revalidated) waits for that too, on this machine.
///
/// # Cancel safety
///
/// The first poll forgets the grants of all connections concerned on this machine, before it returns. If the future is
/// dropped after that, the change and the revalidations continue.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Refresh<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// In an action: the id of its own session, and the epochs that the action begins there.
    own_session: Option<(ConnectionId, OwnEpochs)>,
    change: Change,
    /// What the first poll has begun.
    started: Option<Vec<Started>>,
    /// Whether other machines are told.
    is_passed_on: bool,
    /// The wait for other machines. In a mutex that is never locked, which makes it `Sync`.
    propagation: Option<Mutex<BoxFuture<'static, Propagation>>>,
}

impl<C: Consumer> Refresh<C> {
    pub(super) fn new(
        registry: Arc<SessionRegistry<C>>,
        own_session: Option<(ConnectionId, OwnEpochs)>,
        change: Change,
    ) -> Refresh<C> {
        Refresh { registry, own_session, change, started: None, is_passed_on: true, propagation: None }
    }

    /// Restricts the change to this machine.
    pub(super) fn on_this_machine(mut self) -> Refresh<C> {
        self.is_passed_on = false;
        self
    }

    /// Applies the change, and waits until every connection concerned on this machine has been revalidated or has ended:
    /// connections whose connect permission no longer holds are closing, and memberships whose group permission no longer
    /// holds have ended.
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
    pub async fn revalidated(mut self) -> Propagation {
        let propagation = (&mut self).await;
        for revalidation in self.started.into_iter().flatten().flat_map(Started::into_revalidations) {
            revalidation.wait().await;
        }
        propagation
    }

    /// Begins the change at the endpoint, and at those that share a grant cache with it.
    fn begin(&mut self) -> Vec<Started> {
        let targets = self.registry.clone().with_linked_targets();
        // Forgotten at all before the first one loads anew.
        for target in &targets {
            target.forget(&self.change);
        }
        // In the first poll, so that the change is passed on even if this future is dropped. After `begin`, so that the other
        // machines do not forget before this one does.
        let begun =
            targets.iter().map(|target| target.clone().begin(&self.change, self.own_session.as_ref())).collect();
        let receivers = targets.iter().filter(|_| self.is_passed_on);
        let sent: Vec<_> = receivers.filter_map(|target| target.send(&self.change)).collect();
        if !sent.is_empty() {
            let propagations = join_all(sent.into_iter().map(SentChange::wait));
            self.propagation = Some(Mutex::new(propagations.map(Propagation::of_all).boxed()));
        }
        begun
    }

    /// Polls the change on this machine.
    fn poll_raised(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.started.is_none() {
            self.started = Some(self.begin());
        }
        // All are polled, so that each wakes the task.
        let is_pending = self
            .started
            .iter_mut()
            .flatten()
            .fold(false, |is_pending, one| one.poll_raised(cx).is_pending() | is_pending);
        if is_pending { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<C: Consumer> Future for Refresh<C> {
    type Output = Propagation;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Propagation> {
        ready!(self.poll_raised(cx));
        match &mut self.propagation {
            Some(propagation) => ignore_poison(propagation.get_mut()).as_mut().poll(cx),
            None => Poll::Ready(Propagation::on_one_machine()),
        }
    }
}

impl<C: Consumer> fmt::Debug for Refresh<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refresh").field(&C::NAME).field(&self.change).finish()
    }
}
