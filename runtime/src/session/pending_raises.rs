//! Changes of rights that wait, for at most [`MAX_RAISE_DELAY`], for evaluations that earlier changes have overtaken.
//!
//! An evaluation that a change overtakes starts over. If changes come faster than it ends, it would start over without end.
//! So an evaluation that was overtaken twice takes an [`OvertakenEvaluation`], and changes that come after that are raised
//! together when it has ended. Until then their calls have not completed, so what starts meanwhile starts before the change.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::deferred::PendingRevalidation;
use crate::context::{ConnectionId, OwnEpochs};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{AtomicWaker, Mutex, lock, oneshot};

/// The longest time for which a change waits.
pub(crate) const MAX_RAISE_DELAY: Duration = Duration::from_millis(100);

/// The number of times that an evaluation is overtaken before changes wait for it.
pub(crate) const MAX_OVERTAKEN_EVALUATIONS: usize = 2;

/// The changes of one endpoint that wait. `R` is what a change does.
pub(crate) struct PendingRaises<R> {
    /// The number of evaluations that changes wait for.
    overtaken: AtomicUsize,
    /// Protects the changes that wait. `None` if there is no task that raises them. No other lock is taken under it.
    raises: Mutex<Option<Vec<R>>>,
    /// Wakes that task.
    task: AtomicWaker,
}

/// A change that waits: the sessions of type `S` that it concerns.
pub(crate) struct PendingRaise<S> {
    pub(super) sessions: Vec<Arc<S>>,
    /// In an action: the id of its own session, and the epochs that the action begins there.
    pub(super) own_session: Option<(ConnectionId, OwnEpochs)>,
    pub(super) raised: oneshot::Sender<Vec<PendingRevalidation>>,
}

/// What happens with a change.
pub(crate) enum Raise<R> {
    /// It takes effect at once.
    Now(R),
    /// The task that raises the changes that wait has to be spawned.
    ByNewTask,
    /// That task will raise it too.
    ByTask,
}

/// An evaluation that changes wait for.
pub(crate) struct OvertakenEvaluation<'a, R>(&'a PendingRaises<R>);

impl<R> PendingRaises<R> {
    pub(crate) fn new() -> PendingRaises<R> {
        PendingRaises { overtaken: AtomicUsize::new(0), raises: Mutex::new(None), task: AtomicWaker::new() }
    }

    /// Makes changes wait for an evaluation until the returned value is dropped, if it was overtaken so often.
    pub(crate) fn wait_for(&self, overtaken: usize) -> Option<OvertakenEvaluation<'_, R>> {
        (overtaken >= MAX_OVERTAKEN_EVALUATIONS).then(|| {
            self.overtaken.fetch_add(1, Ordering::SeqCst);
            OvertakenEvaluation(self)
        })
    }

    /// Returns whether changes wait.
    fn is_waiting(&self) -> bool {
        self.overtaken.load(Ordering::SeqCst) > 0
    }

    /// Lets a change wait if it has to.
    pub(crate) fn add(&self, raise: R) -> Raise<R> {
        if !self.is_waiting() {
            return Raise::Now(raise);
        }
        let mut raises = lock(&self.raises);
        if let Some(raises) = &mut *raises {
            raises.push(raise);
            return Raise::ByTask;
        }
        *raises = Some(vec![raise]);
        Raise::ByNewTask
    }

    /// Ends the task: takes the changes that wait.
    pub(crate) fn take(&self) -> Vec<R> {
        lock(&self.raises).take().unwrap_or_default()
    }

    /// Waits until no evaluation is waited for. Supports a single waiter.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.task.register(cx.waker());
        if self.is_waiting() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<R> Drop for OvertakenEvaluation<'_, R> {
    fn drop(&mut self) {
        if self.0.overtaken.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn changes_wait_for_evaluations_that_were_overtaken_twice() {
        let raises = PendingRaises::new();
        assert!(raises.wait_for(1).is_none());
        assert!(matches!(raises.add(1), Raise::Now(1)));
        let (first, second) = (raises.wait_for(2), raises.wait_for(3));
        assert!(matches!((raises.add(2), raises.add(3)), (Raise::ByNewTask, Raise::ByTask)));
        let is_ready = || std::future::poll_fn(|cx| raises.poll_ready(cx)).now_or_never().is_some();
        drop(first);
        assert!(!is_ready());
        drop(second);
        assert!(is_ready());
        assert_eq!(raises.take(), [2, 3]);
        assert!(matches!(raises.add(4), Raise::Now(4)) && raises.take().is_empty());
    }
}
