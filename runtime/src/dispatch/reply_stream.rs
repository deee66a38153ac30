//! Streams of replies: each value that the stream of an action yields becomes one reply.

use std::future::poll_fn;

use super::report::panic_error;
use crate::dialect::{Dialect, Native};
use crate::error::{Error, Result};
use crate::message::{Reply, ReplyStream};
use crate::panic::catch_unwind_future;
use crate::time::deadline;

/// Which reply of a stream [`Dispatcher::next_reply`](super::Dispatcher::next_reply) has written.
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
