//! Blocking actions: their messages are evaluated on tokio's blocking pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::dispatcher::Dispatcher;
use super::outcome::Outcome;
use crate::consumer::Consumer;
use crate::error::Error;
use crate::message::Reply;
use crate::panic::{ContainedSpan, in_span};
use crate::session::PACER;
use crate::time::deadline;
use crate::transport::FrameText;

/// How long the connection waits for a blocking task after the time limit of the evaluation. The evaluation times out first,
/// because it knows whether a check or the action was still running.
pub(super) const BLOCKING_GRACE_PERIOD: Duration = Duration::from_millis(100);

impl<C: Consumer> Dispatcher<C> {
    /// Dispatches a message on the blocking pool. If the time limit expires or the connection ends, an evaluation that has
    /// started runs until it next suspends, and its reply is discarded. One that has not started never does.
    pub(super) async fn run_blocking(&self, text: FrameText, reply: &mut Reply, time_limit: Duration) -> Outcome {
        let mut dispatcher = Dispatcher { is_blocking_thread: true, is_remaining_time: true, ..self.clone() };
        let spawned_at = Instant::now();
        let task_text = text.clone();
        let span = ContainedSpan::current();
        let task = BlockingTask::new(move || {
            let dispatch = async move {
                dispatcher.action_timeout = time_limit.saturating_sub(spawned_at.elapsed());
                if dispatcher.action_timeout.is_zero() {
                    // The caller reports the timeout.
                    return None;
                }
                let mut reply = Reply::new();
                let outcome = dispatcher.dispatch_until_closed(&task_text, &mut reply).await;
                Some((outcome, reply))
            };
            in_span(span, dispatch)
        });
        let error = match deadline(time_limit.saturating_add(BLOCKING_GRACE_PERIOD), task).await {
            Some(Ok(Some(Some((outcome, task_reply))))) => {
                *reply = task_reply;
                // The task knows only what was left of the limit when it began.
                reply.set_stream_time_limit(time_limit);
                return outcome;
            }
            Some(Err(join_error)) => Error::internal(join_error),
            Some(Ok(_)) | None => Error::timeout(),
        };
        self.refuse(&text, &error, reply, false);
        Outcome::Refused
    }
}

/// A future on tokio's blocking pool that is cancelled when this handle is dropped: it does not start, or ends when it next
/// suspends.
pub(super) struct BlockingTask<T> {
    handle: AbortOnDropHandle<T>,
    /// The task observes that this is dropped.
    _cancel_guard: oneshot::Sender<()>,
}

impl<T: Send + 'static> BlockingTask<T> {
    /// Spawns a future on the blocking pool. The output is `None` if the task was cancelled.
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
            // Not `Handle::block_on`: an action could not call `block_on` inside of it.
            match pacer {
                Some(pacer) => pollster::block_on(PACER.scope(pacer, work)),
                None => pollster::block_on(work),
            }
        });
        BlockingTask { handle: AbortOnDropHandle::new(handle), _cancel_guard: cancel_guard }
    }
}

impl<T> Future for BlockingTask<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}
