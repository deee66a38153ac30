//! Streams of replies: each value that the stream of an action yields becomes one reply.

use std::future::poll_fn;

use super::dispatcher::Dispatcher;
use super::report::panic_error;
use crate::consumer::Consumer;
use crate::dialect::{Dialect, Native};
use crate::error::{Error, Result};
use crate::message::{Reply, ReplyStream};
use crate::panic::{ContainedSpan, catch_unwind_future, in_span};
use crate::time::deadline;

/// Which reply of a stream [`Dispatcher::next_reply`] has written.
pub(crate) enum StreamStep {
    /// A reply that others follow.
    More,
    /// The last reply: the stream has ended.
    Last,
    /// The last reply, an error: the stream returned one, panicked or timed out.
    Failed,
}

impl ReplyStream {
    /// Writes the next reply, and awaits its value for at most the time limit of the action.
    ///
    /// # Errors
    ///
    /// The error that the stream returned, which ends it, 500 if it panicked, and 408 if it timed out.
    pub(super) async fn next_reply(&mut self, reply: &mut Reply) -> Result<StreamStep> {
        loop {
            Native::begin(reply);
            let value = poll_fn(|cx| self.values.as_mut().poll_value(cx, reply));
            let value = deadline(self.head.time_limit, catch_unwind_future(value)).await;
            let is_last = match value {
                Some(Ok(Some(Ok(())))) if reply.is_silent() => {
                    // Many silent values in a row must not starve other tasks.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Ok(Some(Ok(())))) => false,
                Some(Ok(None)) => true,
                Some(Ok(Some(Err(error)))) => return Err(error),
                Some(Err(panic)) => return Err(panic_error(&panic)),
                None => return Err(Error::timeout()),
            };
            Native::finish(reply, &self.head.echo.as_echo(), Some(is_last));
            return Ok(if is_last { StreamStep::Last } else { StreamStep::More });
        }
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Writes the next reply of a stream, which is that of the message `text`.
    pub(crate) async fn next_reply(&self, text: &str, stream: &mut ReplyStream, reply: &mut Reply) -> StreamStep {
        let span = stream.head.observation.as_ref().and_then(|observation| observation.span());
        let span = span.and_then(ContainedSpan::try_clone);
        let next = async {
            stream.next_reply(reply).await.unwrap_or_else(|error| {
                self.refuse(text, &error, reply, true);
                StreamStep::Failed
            })
        };
        let step = in_span(span, next).await;
        if let StreamStep::Last | StreamStep::Failed = step {
            stream.record_status(reply.status());
        }
        step
    }
}
