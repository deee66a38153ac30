//! The limit of a connection's messages, see [`Limits::messages_per_connection`](super::Limits::messages_per_connection).

use std::task::{Context, Poll, ready};

use futures_util::StreamExt;

use crate::rate::{Rate, TokenBucket};
use crate::time::whole_seconds;
use crate::transport::{CloseReason, ExcessMessage, Incoming, Transport};

/// Counts the frames of a client as they are read, so that an action that runs does not put off the count.
pub(super) struct MessageLimiter {
    messages: TokenBucket,
    /// The frames above the rate that do not end the connection.
    refusals: TokenBucket,
}

impl MessageLimiter {
    pub(super) fn new(rate: Rate) -> MessageLimiter {
        MessageLimiter { messages: TokenBucket::new(rate), refusals: TokenBucket::new(rate) }
    }

    /// Reads a frame and counts it. Above the rate, a message is returned as [`Incoming::Excess`], to be refused in its place
    /// among the others; if too many are, the connection is to end.
    pub(super) fn poll_next<T: Transport>(
        &mut self,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Incoming>> {
        let frame = ready!(transport.poll_next_unpin(cx));
        Poll::Ready(frame.map(|frame| self.count(frame)))
    }

    #[inline]
    fn count(&mut self, frame: Incoming) -> Incoming {
        match frame {
            // Pongs answer the pings of the server.
            Incoming::Pong | Incoming::Excess(_) | Incoming::Broken(_) => frame,
            Incoming::Text(_) | Incoming::Binary | Incoming::Ping => match self.messages.take() {
                Ok(()) => frame,
                Err(retry_after) => {
                    if self.refusals.take().is_err() {
                        let seconds = u32::try_from(whole_seconds(retry_after)).unwrap_or(u32::MAX);
                        return Incoming::Broken(CloseReason::TooManyMessages(seconds));
                    }
                    let text = match frame {
                        // The transport has answered it.
                        Incoming::Ping => return Incoming::Ping,
                        Incoming::Text(text) => Some(text.to_unshared()),
                        _ => None,
                    };
                    Incoming::Excess(Box::new(ExcessMessage { text, retry_after }))
                }
            },
        }
    }
}
