//! The socket of one connection while the connection is open, and its closing handshake afterwards.

use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio::time::Instant;

use super::message_limiter::MessageLimiter;
use crate::time::deadline;
use crate::transport::{CloseFrame, ConnectionEnd, Gone, Incoming, Outgoing, Transport};

/// How long the socket stays open after a close frame, so that the client reads the close code.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The socket of one connection. After [`end`](Link::end) nothing can be read or written, and the closing handshake makes
/// progress when [`poll_closed`](Link::poll_closed) is polled.
pub(super) enum Link<T> {
    /// The socket, and what counts the messages that are read from it if they are limited.
    Open(T, Option<Box<MessageLimiter>>),
    /// The closing handshake is in progress, or has ended (`None`).
    Ended(Option<BoxFuture<'static, ()>>, Instant),
}

impl<T: Transport> Link<T> {
    #[inline]
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        match self {
            Link::Open(transport, _) => transport.poll_ready(cx),
            Link::Ended(..) => Poll::Ready(Err(Gone)),
        }
    }

    #[inline]
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        match self {
            Link::Open(transport, _) => transport.poll_flush(cx),
            Link::Ended(..) => Poll::Ready(Err(Gone)),
        }
    }

    #[inline]
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        match self {
            Link::Open(transport, None) => transport.poll_next_unpin(cx),
            Link::Open(transport, Some(limiter)) => limiter.poll_next(transport, cx),
            Link::Ended(..) => Poll::Ready(None),
        }
    }

    /// Records that the connection waits for something other than a frame, see [`MessageLimiter::pause`].
    #[inline]
    pub(super) fn pause_reading(&mut self) {
        if let Link::Open(_, Some(limiter)) = self {
            limiter.pause();
        }
    }

    #[inline]
    pub(super) fn start_send(&mut self, frame: Outgoing<'_>) -> Result<(), Gone> {
        match self {
            Link::Open(transport, _) => transport.start_send(frame),
            Link::Ended(..) => Err(Gone),
        }
    }

    /// Returns whether bytes were taken that are not sent yet.
    #[inline]
    pub(super) fn has_unsent(&self) -> bool {
        match self {
            Link::Open(transport, _) => transport.has_unsent(),
            Link::Ended(..) => true,
        }
    }

    /// Takes bytes that have to be sent before all else.
    #[cold]
    pub(super) fn resume(&mut self, rest: Vec<u8>) {
        if let Link::Open(transport, _) = self {
            transport.resume(rest);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Link::Open(..))
    }

    /// Returns when the connection ended, or `None` if it is open.
    pub(super) fn ended_at(&self) -> Option<Instant> {
        match self {
            Link::Open(..) => None,
            Link::Ended(_, ended_at) => Some(*ended_at),
        }
    }

    /// Begins the closing handshake. Does nothing if it has begun.
    pub(super) fn end(&mut self, end: ConnectionEnd) {
        self.begin_handshake(|transport| match end {
            ConnectionEnd::PeerGone => finish(transport).boxed(),
            ConnectionEnd::Close(reason) => close(transport, reason.frame()).boxed(),
            ConnectionEnd::ClosedByAction(code) => {
                close(transport, CloseFrame { code: code.as_u16(), text: "".into() }).boxed()
            }
        });
    }

    /// Flushes the remaining frames for at most `flush_timeout`, and then begins the closing handshake. Does nothing if it
    /// has begun.
    pub(super) fn close_when_flushed(&mut self, frame: CloseFrame, flush_timeout: Duration) {
        self.begin_handshake(|transport| flush_and_close(transport, frame, flush_timeout).boxed());
    }

    fn begin_handshake(&mut self, handshake: impl FnOnce(T) -> BoxFuture<'static, ()>) {
        if !self.is_open() {
            return;
        }
        if let Link::Open(transport, _) = mem::replace(self, Link::Ended(None, Instant::now())) {
            *self = Link::Ended(Some(handshake(transport)), Instant::now());
        }
    }

    /// Waits until the closing handshake has ended, which takes at most [`CLOSE_TIMEOUT`] once the frames are flushed.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Link::Open(..) => Poll::Pending,
            Link::Ended(handshake, _) => {
                // Taken, because it must not be polled again if the stream panics. Dropping it drops the transport.
                if let Some(mut future) = handshake.take()
                    && future.poll_unpin(cx).is_pending()
                {
                    *handshake = Some(future);
                    return Poll::Pending;
                }
                Poll::Ready(())
            }
        }
    }
}

/// Sends the remaining frames, and the answer to the peer's close frame, after the peer has closed the connection.
async fn finish<T: Transport>(mut transport: T) {
    let _ = deadline(CLOSE_TIMEOUT, poll_fn(|cx| transport.poll_close(cx))).await;
}

/// Flushes the remaining frames, and closes the connection. A large reply may take longer than [`CLOSE_TIMEOUT`].
async fn flush_and_close<T: Transport>(mut transport: T, frame: CloseFrame, flush_timeout: Duration) {
    if let Some(Ok(())) = deadline(flush_timeout, poll_fn(|cx| transport.poll_flush(cx))).await {
        close(transport, frame).await;
    }
}

/// Sends a close frame, and reads until the client has closed the connection, for at most [`CLOSE_TIMEOUT`]. Unread bytes
/// would reset the connection before the client has read the close code.
pub(crate) async fn close<T: Transport>(mut transport: T, frame: CloseFrame) {
    let close_handshake = async {
        transport.start_send(Outgoing::Close(Box::new(frame)))?;
        poll_fn(|cx| transport.poll_flush(cx)).await?;
        while transport.next().await.is_some() {}
        Ok::<(), Gone>(())
    };
    let _ = deadline(CLOSE_TIMEOUT, close_handshake).await;
}

#[cfg(test)]
mod tests;
