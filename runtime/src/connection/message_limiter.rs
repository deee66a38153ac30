//! The limit of a connection's messages, see [`Limits::messages_per_connection`](super::Limits::messages_per_connection).

use std::task::{Context, Poll};

use futures_util::StreamExt;
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;

use crate::rate::{Rate, TokenBucket};
use crate::time::whole_seconds;
use crate::transport::{CloseReason, ExcessMessage, Incoming, Transport};

/// Counts the messages and pings of a client when they are read, not when they are dispatched: a running action does not delay
/// the count.
pub(super) struct MessageLimiter {
    messages: TokenBucket,
    /// The messages above the rate that do not end the connection.
    refusals: TokenBucket,
    /// Since when frames may have arrived that are not read. `None` while the connection waits for one: a frame that arrives
    /// is read at once.
    unread_since: Option<Instant>,
}

impl MessageLimiter {
    /// Creates the limiter of a connection that does not read yet.
    pub(super) fn new(rate: Rate) -> MessageLimiter {
        let unread_since = Some(Instant::now());
        MessageLimiter { messages: TokenBucket::new(rate), refusals: TokenBucket::new(rate), unread_since }
    }

    /// Reads a frame and counts it. Above the rate, a message is returned as [`Incoming::Excess`], to be refused in its place
    /// among the others; if too many were refused, returns [`Incoming::Broken`].
    pub(super) fn poll_next<T: Transport>(
        &mut self,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Incoming>> {
        match transport.poll_next_unpin(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| self.count(frame))),
            Poll::Pending => {
                // To a task without coop budget, tokio reports a readable socket as pending.
                if has_budget_remaining() {
                    self.unread_since = None;
                }
                Poll::Pending
            }
        }
    }

    /// Records that the connection waits for something other than a frame. What its client sends meanwhile is counted late.
    #[inline]
    pub(super) fn pause(&mut self) {
        self.unread_since.get_or_insert_with(Instant::now);
    }

    #[inline]
    fn count(&mut self, frame: Incoming) -> Incoming {
        let unread_since = *self.unread_since.get_or_insert_with(Instant::now);
        match frame {
            // Pongs answer the pings of the server.
            Incoming::Pong | Incoming::Excess(_) | Incoming::Broken(_) => frame,
            Incoming::Text(_) | Incoming::Binary | Incoming::Ping => match self.messages.take(unread_since) {
                Ok(()) => frame,
                Err(retry_at) => self.refuse(frame, retry_at, unread_since),
            },
        }
    }

    /// Returns what takes the place of a frame above the rate.
    #[cold]
    fn refuse(&mut self, frame: Incoming, retry_at: Instant, unread_since: Instant) -> Incoming {
        if self.refusals.take(unread_since).is_err() {
            let retry_after = retry_at.saturating_duration_since(Instant::now());
            let seconds = u32::try_from(whole_seconds(retry_after)).unwrap_or(u32::MAX);
            return Incoming::Broken(CloseReason::TooManyMessages(seconds));
        }
        let text = match frame {
            // The transport has answered it.
            Incoming::Ping => return Incoming::Ping,
            Incoming::Text(text) => Some(text.to_unshared()),
            _ => None,
        };
        Incoming::Excess(Box::new(ExcessMessage { text, retry_at }))
    }
}
