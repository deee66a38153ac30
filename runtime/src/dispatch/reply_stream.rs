//! Streams of replies: each value that the stream of an action yields becomes one reply.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use super::dispatcher::Dispatcher;
use super::report::panic_error;
use crate::consumer::Consumer;
use crate::dialect::{Dialect, Native};
use crate::error::Error;
use crate::message::{Echo, OwnedEcho, Reply, Values};
use crate::panic::catch_unwind_future;
use crate::time::deadline;

/// The stream of replies of one message.
pub(crate) struct ReplyStream {
    values: Pin<Box<dyn Values>>,
    /// What each reply echoes of the message.
    echo: OwnedEcho,
}

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
    /// Takes the stream that an action has set as its reply.
    #[cold]
    pub(super) fn take(reply: &mut Reply, echo: &Echo<'_>) -> Option<Box<ReplyStream>> {
        reply.take_values().map(|values| Box::new(ReplyStream { values, echo: echo.to_owned_echo() }))
    }
}

impl fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyStream").finish_non_exhaustive()
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Writes the next reply of a stream, which is that of the message `text`.
    pub(crate) async fn next_reply(&self, text: &str, stream: &mut ReplyStream, reply: &mut Reply) -> StreamStep {
        let error = loop {
            Native::begin(reply);
            let value = poll_fn(|cx| stream.values.as_mut().poll_value(cx, reply));
            let value = deadline(self.action_timeout, catch_unwind_future(value)).await;
            let is_last = match value {
                Some(Ok(Some(Ok(())))) if reply.is_silent() => {
                    // Many silent values in a row must not starve other tasks.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Ok(Some(Ok(())))) => false,
                Some(Ok(None)) => true,
                Some(Ok(Some(Err(error)))) => break error,
                Some(Err(panic)) => break panic_error(&panic),
                None => break Error::timeout(),
            };
            Native::finish(reply, &stream.echo.as_echo(), Some(is_last));
            return if is_last { StreamStep::Last } else { StreamStep::More };
        };
        self.refuse(text, &error, reply, true);
        StreamStep::Failed
    }
}
