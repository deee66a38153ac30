//! Frames on their way out: fed one by one, flushed together, and never waited for without end.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;

use crate::consumer::Consumer;
use crate::session::{Coalesce, Dequeued, SendQueue, Session};
use crate::time::deadline;
use crate::transport::{CloseCode, ConnectionEnd, FrameText, Gone, Incoming, Outgoing, Transport};

/// How long a client may take to answer a close, so that it reads the code before the socket is gone.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a connection has to do.
pub(super) enum IoEvent {
    /// A frame has come; none comes any more.
    Frame(Option<Incoming>),
    /// An event waits, and there is room for it.
    Event,
    /// Something runs beside that wants to be looked at, and has what it wants.
    Detached,
}

/// What has to be there for something that runs beside to be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IoNeed {
    Nothing,
    /// Room for a frame.
    Writable,
}

/// How many events are fed before they are flushed.
const MAX_EVENTS_PER_FLUSH: usize = 64;

/// Whether an event was fed, and whether another stands in front of the same place.
pub(super) struct DeliveryProgress {
    pub(super) has_sent: bool,
    has_more: bool,
}

/// Waits for the client, but not beyond the connection's end.
fn poll_or_closed<N: Coalesce>(
    ready: Poll<Result<(), Gone>>,
    send_queue: &SendQueue<N>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), ConnectionEnd>> {
    match ready {
        Poll::Ready(outcome) => {
            send_queue.unstall();
            Poll::Ready(outcome.map_err(ConnectionEnd::from))
        }
        Poll::Pending => {
            // A task without budget is told that a writable socket is pending: it runs again soon, and is not stalled.
            if has_budget_remaining() {
                send_queue.stall();
            }
            send_queue.poll_closed(cx).map(Err)
        }
    }
}

/// The sending side of a connection. It gives up on a client that does not take what is sent to it.
pub(super) struct ConnectionIo<C: Consumer, T> {
    pub(super) transport: T,
    /// Where events wait to go out.
    session: Arc<Session<C>>,
    send_timeout: Duration,
    /// Whether something was fed that is not flushed yet.
    has_unflushed: bool,
    /// Whether a ping could not be sent for what the client had not taken yet.
    has_skipped_ping: bool,
    /// Whether events wait for a reply that is still to go out.
    pub(super) is_holding_events: bool,
    /// When the credentials of whoever sits there run out. Nothing goes out to them from then on.
    pub(super) expiry: Option<Instant>,
}

impl<C: Consumer, T: Transport> ConnectionIo<C, T> {
    pub(super) fn new(transport: T, session: Arc<Session<C>>, send_timeout: Duration) -> ConnectionIo<C, T> {
        ConnectionIo {
            transport,
            session,
            send_timeout,
            has_unflushed: false,
            has_skipped_ping: false,
            is_holding_events: false,
            expiry: None,
        }
    }

    pub(super) async fn feed(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        self.wait_until_writable().await?;
        self.start_send(text)
    }

    /// Whether there is room for a frame, as there mostly is. Where there is none nobody is woken once there is: that is
    /// waited for by [`room`](Outbox::room).
    #[inline]
    pub(super) fn is_writable(&mut self) -> Result<bool, ConnectionEnd> {
        let Some(ready) = poll_fn(|cx| self.transport.poll_ready_unpin(cx)).now_or_never() else { return Ok(false) };
        self.check_open()?;
        ready?;
        Ok(true)
    }

    /// Waits until there is room for a frame.
    pub(super) async fn wait_until_writable(&mut self) -> Result<(), ConnectionEnd> {
        if self.is_writable()? {
            return Ok(());
        }
        let send_timeout = self.remaining_send_time();
        let (transport, send_queue) = (&mut self.transport, &self.session.send_queue);
        let ready = poll_fn(|cx| poll_or_closed(transport.poll_ready_unpin(cx), send_queue, cx));
        let ready = deadline(send_timeout, ready).await;
        self.check_open()?;
        ready.ok_or(ConnectionEnd::PeerGone)?
    }

    /// How long a client may take for what is sent to it: its credentials are not to run out meanwhile.
    #[inline]
    fn remaining_send_time(&self) -> Duration {
        let remaining = self.expiry.map(|expiry| expiry.saturating_duration_since(Instant::now()));
        remaining.map_or(self.send_timeout, |remaining| remaining.min(self.send_timeout))
    }

    /// Feeds a frame for which there is room.
    #[inline]
    pub(super) fn start_send(&mut self, text: impl Into<FrameText>) -> Result<(), ConnectionEnd> {
        self.has_unflushed = true;
        Ok(self.transport.start_send_unpin(Outgoing::Text(text.into()))?)
    }

    /// Whether the connection goes on: it has not been ended, and the credentials of whoever sits there are still good.
    #[inline]
    pub(super) fn check_open(&self) -> Result<(), ConnectionEnd> {
        self.session.send_queue.check_open()?;
        match self.expiry {
            Some(expiry) if Instant::now() >= expiry => Err(ConnectionEnd::Close(CloseCode::Expired)),
            _ => Ok(()),
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), ConnectionEnd> {
        let send_timeout = self.remaining_send_time();
        let (transport, send_queue) = (&mut self.transport, &self.session.send_queue);
        let flushed = poll_fn(|cx| poll_or_closed(transport.poll_flush_unpin(cx), send_queue, cx));
        let Some(flushed) = deadline(send_timeout, flushed).await else {
            self.check_open()?;
            return Err(ConnectionEnd::PeerGone);
        };
        flushed?;
        self.has_unflushed = false;
        Ok(())
    }

    /// Whether an event waits, or the connection is to end.
    pub(super) fn has_events(&self) -> bool {
        self.session.send_queue.is_ready()
    }

    /// Feeds the events that wait, so many at the most that what was fed goes out before long.
    pub(super) async fn deliver(&mut self) -> Result<(), ConnectionEnd> {
        for _ in 0..MAX_EVENTS_PER_FLUSH {
            self.wait_until_writable().await?;
            if !self.deliver_next(u64::MAX)?.has_more {
                break;
            }
        }
        Ok(())
    }

    /// Feeds the events that stand in front of that place. Each is taken only when there is room for it: until then it can be
    /// recalled.
    pub(super) async fn deliver_before(&mut self, sequence: u64) -> Result<(), ConnectionEnd> {
        loop {
            self.wait_until_writable().await?;
            if !self.deliver_next(sequence)?.has_more {
                return Ok(());
            }
        }
    }

    /// Feeds the event that has waited longest, for which there is room.
    pub(super) fn deliver_one(&mut self) -> Result<(), ConnectionEnd> {
        self.check_open()?;
        self.deliver_next(u64::MAX)?;
        Ok(())
    }

    /// Feeds the next event, if it stands in front of that place.
    pub(super) fn deliver_next(&mut self, sequence: u64) -> Result<DeliveryProgress, ConnectionEnd> {
        match self.session.send_queue.dequeue_before(sequence)? {
            None => Ok(DeliveryProgress { has_sent: false, has_more: false }),
            Some(Dequeued { frame, has_more }) => {
                self.start_send(frame)?;
                Ok(DeliveryProgress { has_sent: true, has_more })
            }
        }
    }

    /// The place behind all events that wait now.
    pub(super) fn next_sequence(&self) -> Result<u64, ConnectionEnd> {
        self.session.send_queue.next_sequence()
    }

    /// Feeds a ping, unless the client does not even take what it has been sent before.
    pub(super) fn ping(&mut self) -> Result<(), ConnectionEnd> {
        let Some(ready) = poll_fn(|cx| self.transport.poll_ready_unpin(cx)).now_or_never() else {
            self.has_skipped_ping = true;
            return Ok(());
        };
        ready?;
        self.has_unflushed = true;
        Ok(self.transport.start_send_unpin(Outgoing::Ping)?)
    }

    /// Whether the client has taken everything since it last could not be asked for a sign of life.
    pub(super) fn has_caught_up(&mut self) -> bool {
        !self.has_unflushed && std::mem::take(&mut self.has_skipped_ping)
    }

    /// What comes next, while what was fed goes out beside. Without `reading` no frame comes, and no event while something
    /// `holds` them. `beside` says whether something else is there to be sent. Cancel-safe.
    pub(super) async fn next_event(
        &mut self,
        is_reading: bool,
        is_holding: bool,
        mut poll_detached: impl FnMut(&mut Context<'_>) -> Poll<IoNeed>,
    ) -> Result<IoEvent, ConnectionEnd> {
        poll_fn(|cx| {
            if self.has_unflushed && self.transport.poll_flush_unpin(cx)?.is_ready() {
                self.has_unflushed = false;
            }
            if let Poll::Ready(need) = poll_detached(cx)
                && (need == IoNeed::Nothing
                    || poll_or_closed(self.transport.poll_ready_unpin(cx), &self.session.send_queue, cx)?.is_ready())
            {
                return Poll::Ready(self.check_open().map(|()| IoEvent::Detached));
            }
            let send_queue = &self.session.send_queue;
            let queue_ready = if is_holding || self.is_holding_events {
                if send_queue.is_ready() {
                    send_queue.stall();
                }
                send_queue.poll_closed(cx).map(Err)
            } else {
                send_queue.poll(cx)
            };
            if let Poll::Ready(queue_ready) = queue_ready {
                queue_ready?;
                if poll_or_closed(self.transport.poll_ready_unpin(cx), &self.session.send_queue, cx)?.is_ready() {
                    return Poll::Ready(Ok(IoEvent::Event));
                }
            }
            if is_reading {
                self.transport.poll_next_unpin(cx).map(|frame| Ok(IoEvent::Frame(frame)))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Sends what is left to a client that has said that it goes, the answer to that included.
    pub(super) async fn finish(&mut self) {
        let _ = deadline(CLOSE_TIMEOUT, self.transport.flush()).await;
    }

    /// Says why, and stays for a moment: bytes that nobody reads would reset the connection under the reason.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let close_handshake = async {
            if self.transport.send(Outgoing::Close(code)).await.is_ok() {
                while self.transport.next().await.is_some() {}
                // After what cannot be read nothing more is read, so that the client's own end is not seen.
                if code.is_unreadable() {
                    pending::<()>().await;
                }
            }
        };
        let _ = deadline(CLOSE_TIMEOUT, close_handshake).await;
    }
}
