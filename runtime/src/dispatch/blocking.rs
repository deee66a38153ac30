//! Messages of blocking actions: their evaluation runs on tokio's blocking pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::dispatcher::{Dispatcher, Outcome};
use crate::consumer::Consumer;
use crate::error::Error;
use crate::message::Reply;
use crate::session::PACER;
use crate::time::deadline;
use crate::transport::FrameText;

/// How much longer than its evaluation the thread of a blocking action is waited for.
pub(super) const BLOCKING_GRACE_PERIOD: Duration = Duration::from_millis(100);

impl<C: Consumer> Dispatcher<C> {
    /// The same walk, on a thread that may block. An action that has begun there goes on when its time is over, or when
    /// the connection is; its reply does not. One that has not begun, checks included, never does.
    pub(super) async fn run_blocking(&self, text: FrameText, reply: &mut Reply) -> Outcome {
        let (mut dispatcher, spawned_at) = (Dispatcher { is_blocking_thread: true, ..self.clone() }, Instant::now());
        let task_text = text.clone();
        let task = BlockingTask::new(move || async move {
            dispatcher.action_timeout = dispatcher.action_timeout.saturating_sub(spawned_at.elapsed());
            if dispatcher.action_timeout.is_zero() {
                // Too late to begin: that it took too long is told by who waits.
                return None;
            }
            let mut reply = Reply::new();
            let outcome = dispatcher.dispatch(&task_text, &mut reply).await;
            Some((outcome, reply))
        });
        // The walk's own clock goes first: it knows whether a check or the action took too long.
        let error = match deadline(self.action_timeout.saturating_add(BLOCKING_GRACE_PERIOD), task).await {
            Some(Ok(Some(Some((outcome, task_reply))))) => {
                *reply = task_reply;
                return outcome;
            }
            Some(Err(join_error)) => Error::internal(join_error),
            Some(Ok(_)) | None => Error::timeout(),
        };
        self.refuse(&text, &error, reply, false);
        Outcome::Refused
    }
}

/// A thread's work that ends at the next place where it waits, or does not begin, once nobody waits for it.
pub(super) struct BlockingTask<T> {
    handle: JoinHandle<T>,
    /// The thread sees it go.
    _cancel_guard: oneshot::Sender<()>,
}

impl<T: Send + 'static> BlockingTask<T> {
    /// Does the work of a future on a thread that may be held up, until nobody waits for it: then it gives `None`.
    pub(super) fn new<F: Future<Output = T>>(work: impl FnOnce() -> F + Send + 'static) -> BlockingTask<Option<T>> {
        let (cancel_guard, mut cancelled) = oneshot::channel::<()>();
        let pacer = PACER.try_with(Arc::clone).ok();
        let handle = tokio::task::spawn_blocking(move || {
            let work = async {
                tokio::select! {
                    biased;
                    _ = &mut cancelled => None,
                    output = work() => Some(output),
                }
            };
            // Not `Handle::block_on`: inside it, an action could not call `block_on` itself.
            match pacer {
                Some(pacer) => pollster::block_on(PACER.scope(pacer, work)),
                None => pollster::block_on(work),
            }
        });
        BlockingTask { handle, _cancel_guard: cancel_guard }
    }
}

impl<T> Future for BlockingTask<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}

impl<T> Drop for BlockingTask<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}
