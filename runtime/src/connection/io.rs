//! Connection I/O: reads the frames of one socket, feeds outbound frames one by one and flushes them together. Each wait for
//! the client has a time limit.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::event_holds::EventHolds;
use super::link::Link;
use super::message_limiter::MessageLimiter;
use super::readiness::{poll_or_closed, wait_for};
use crate::consumer::Consumer;
use crate::context::CloseRequest;
use crate::session::{Dequeued, Session};
use crate::time::deadline;
use crate::transport::{CloseFrame, CloseReason, ConnectionEnd, Incoming, Outgoing, Transport};

/// What a connection has to process next.
pub(super) enum IoEvent {
    /// A frame has arrived; `None` if the stream has ended.
    Frame(Option<Incoming>),
    /// An event is queued or the connection is to end, and the transport can take a frame.
    Event,
    /// The flusher has left the rest of a frame, which has to be flushed.
    Rest,
    /// The detached tasks have something to process, and their [`IoNeed`] is met.
    Detached,
}

/// What the detached tasks need before they can be processed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IoNeed {
    Nothing,
    /// The transport can take a frame.
    Writable,
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The next frame: no action runs, so that the flusher may deliver events meanwhile.
    Idle,
    /// The end of an action or of a stream.
    Busy {
        /// Whether frames are read.
        is_reading: bool,
    },
}

/// The maximum number of events that are fed before a flush.
const MAX_EVENTS_PER_FLUSH: usize = 64;

/// The result of delivering at most one event.
pub(super) struct DeliveryProgress {
    /// Whether an event was fed.
    pub(super) has_sent: bool,
    /// Whether another event before the same sequence number is queued.
    has_more: bool,
}

/// The I/O of one connection. It ends a connection whose client does not take frames within the send timeout.
pub(super) struct ConnectionIo<C: Consumer, T> {
    pub(super) link: Link<T>,
    /// Its send queue holds the events to deliver.
    session: Arc<Session<C>>,
    send_timeout: Duration,
    /// Whether a frame was fed that is not flushed yet.
    has_unflushed: bool,
    /// Whether a ping was skipped because the client had not taken earlier frames.
    has_skipped_ping: bool,
    /// The replies that queued events wait for.
    pub(super) event_holds: EventHolds,
    /// When the connection closes, and why: the credentials of the user expire, or an anonymous client has not
    /// authenticated in time. No reply and no event is sent after that.
    expiry: Option<(Instant, CloseReason)>,
    /// Whether the flusher can write events to the socket while the task is parked.
    can_park: bool,
    /// What goes first in the next event.
    turn: Turn,
}

/// What goes first if several things are ready. After a detached task has had its turn, an event and a frame have theirs, so
/// that streams that are always ready starve neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Detached,
    Event,
    Frame,
}

impl<C: Consumer, T: Transport> ConnectionIo<C, T> {
    pub(super) fn new(
        mut transport: T,
        session: Arc<Session<C>>,
        send_timeout: Duration,
        limiter: Option<Box<MessageLimiter>>,
    ) -> ConnectionIo<C, T> {
        let socket_writer = transport.take_socket_writer();
        let can_park = socket_writer.is_some();
        if let Some(writer) = socket_writer {
            session.attach_socket(writer);
        }
        ConnectionIo {
            link: Link::Open(transport, limiter),
            session,
            send_timeout,
            has_unflushed: false,
            has_skipped_ping: false,
            event_holds: EventHolds::default(),
            turn: Turn::Detached,
            expiry: None,
            can_park,
        }
    }

    /// Sets when the connection closes, and why.
    pub(super) fn set_expiry(&mut self, expiry: Option<(Instant, CloseReason)>) {
        self.expiry = expiry;
        self.session.send_queue.set_expiry(expiry.map(|(expiry, _)| expiry));
    }

    /// Feeds a frame once the transport can take it.
    pub(super) async fn feed(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        self.wait_until_writable().await?;
        self.start_send(text)
    }

    /// Returns whether the transport can take a frame, which it mostly can. If it cannot, the task is not woken when it can;
    /// [`wait_until_writable`](ConnectionIo::wait_until_writable) waits for that.
    #[inline]
    pub(super) fn is_writable(&mut self) -> Result<bool, ConnectionEnd> {
        let Some(ready) = poll_fn(|cx| self.link.poll_ready(cx)).now_or_never() else { return Ok(false) };
        self.check_open()?;
        ready?;
        Ok(true)
    }

    /// Waits until the transport can take a frame, within the send timeout.
    pub(super) async fn wait_until_writable(&mut self) -> Result<(), ConnectionEnd> {
        if self.is_writable()? {
            return Ok(());
        }
        let send_timeout = self.remaining_send_time();
        let ready = wait_for(&mut self.link, &self.session.send_queue, Link::poll_ready);
        let ready = deadline(send_timeout, ready).await;
        self.check_open()?;
        ready.ok_or(ConnectionEnd::PeerGone)?
    }

    /// Returns the send timeout, or the time until the expiry if that is shorter.
    #[inline]
    fn remaining_send_time(&self) -> Duration {
        let remaining = self.expiry.map(|(expiry, _)| expiry.saturating_duration_since(Instant::now()));
        remaining.map_or(self.send_timeout, |remaining| remaining.min(self.send_timeout))
    }

    /// Feeds a reply. The transport must be able to take it.
    #[inline]
    pub(super) fn start_send(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        self.has_unflushed = true;
        Ok(self.link.start_send(Outgoing::Reply(text))?)
    }

    /// Returns an error if the connection is to end or has expired.
    #[inline]
    pub(super) fn check_open(&self) -> Result<(), ConnectionEnd> {
        self.session.send_queue.check_open()?;
        match self.expiry {
            Some((expiry, reason)) if Instant::now() >= expiry => Err(ConnectionEnd::Close(reason)),
            _ => Ok(()),
        }
    }

    /// Flushes the frames that were fed, within the send timeout.
    pub(super) async fn flush(&mut self) -> Result<(), ConnectionEnd> {
        let send_timeout = self.remaining_send_time();
        let flushed = wait_for(&mut self.link, &self.session.send_queue, Link::poll_flush);
        let Some(flushed) = deadline(send_timeout, flushed).await else {
            self.check_open()?;
            return Err(ConnectionEnd::PeerGone);
        };
        flushed?;
        self.has_unflushed = false;
        Ok(())
    }

    /// Returns whether an event is queued or the connection is to end.
    pub(super) fn has_events(&self) -> bool {
        self.session.send_queue.is_ready()
    }

    /// Feeds queued events, but at most [`MAX_EVENTS_PER_FLUSH`], so that the flush is not delayed for long.
    pub(super) async fn deliver(&mut self) -> Result<(), ConnectionEnd> {
        for _ in 0..MAX_EVENTS_PER_FLUSH {
            self.wait_until_writable().await?;
            if !self.deliver_next(u64::MAX)?.has_more {
                break;
            }
        }
        Ok(())
    }

    /// Feeds the oldest queued event. The transport must be able to take it.
    pub(super) fn deliver_one(&mut self) -> Result<(), ConnectionEnd> {
        self.check_open()?;
        self.deliver_next(u64::MAX)?;
        Ok(())
    }

    /// Feeds the oldest queued event if it comes before that sequence number. The transport must be able to take it: until
    /// an event is dequeued, it can be recalled.
    pub(super) fn deliver_next(&mut self, sequence: u64) -> Result<DeliveryProgress, ConnectionEnd> {
        // Takes back what was authorized too long ago.
        self.session.registry.enforce_lease();
        match self.session.send_queue.dequeue_before(sequence)? {
            None => Ok(DeliveryProgress { has_sent: false, has_more: false }),
            Some(Dequeued { frame, has_more }) => {
                self.has_unflushed = true;
                self.link.start_send(Outgoing::Event(frame))?;
                Ok(DeliveryProgress { has_sent: true, has_more })
            }
        }
    }

    /// Returns the sequence number of the next event to be enqueued: all queued events come before it.
    pub(super) fn next_sequence(&self) -> Result<u64, ConnectionEnd> {
        self.session.send_queue.next_sequence()
    }

    /// Feeds a ping, or skips it if the client has not taken earlier frames.
    pub(super) fn ping(&mut self) -> Result<(), ConnectionEnd> {
        let Some(ready) = poll_fn(|cx| self.link.poll_ready(cx)).now_or_never() else {
            self.has_skipped_ping = true;
            return Ok(());
        };
        ready?;
        self.has_unflushed = true;
        Ok(self.link.start_send(Outgoing::Ping)?)
    }

    /// Frees the send queue's buffers if they are empty.
    pub(super) fn shrink(&self) {
        self.session.send_queue.shrink();
        self.session.shrink_deferred();
    }

    /// Returns whether a ping was skipped and the client has taken all frames since. Then the skipped ping is forgotten.
    pub(super) fn has_caught_up(&mut self) -> bool {
        !self.has_unflushed && std::mem::take(&mut self.has_skipped_ping)
    }

    /// Waits for the next event, and flushes meanwhile. `poll_detached` returns what the detached tasks need once they have
    /// something to process. While the connection is idle, the task is parked.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no frame and no event is lost.
    pub(super) async fn next_event(
        &mut self,
        waiting: Waiting,
        mut poll_detached: impl FnMut(&mut Context<'_>) -> Poll<IoNeed>,
    ) -> Result<IoEvent, ConnectionEnd> {
        let mut parking = Parking { io: self, is_parked: false };
        poll_fn(|cx| {
            let has_rest = parking.unpark();
            let io = &mut *parking.io;
            if io.has_unflushed && io.link.poll_flush(cx)?.is_ready() {
                io.has_unflushed = false;
            }
            if has_rest {
                return Poll::Ready(io.check_open().map(|()| IoEvent::Rest));
            }
            if io.turn != Turn::Detached
                && let Poll::Ready(event) = io.poll_after_detached(waiting, cx)
            {
                return Poll::Ready(event);
            }
            if let Poll::Ready(need) = poll_detached(cx)
                && (need == IoNeed::Nothing
                    || poll_or_closed(io.link.poll_ready(cx), &io.session.send_queue, cx)?.is_ready())
            {
                io.turn = Turn::Event;
                return Poll::Ready(io.check_open().map(|()| IoEvent::Detached));
            }
            let send_queue = &io.session.send_queue;
            let is_holding = io.event_holds.is_holding();
            let may_park =
                waiting == Waiting::Idle && io.can_park && !is_holding && !io.has_unflushed && !send_queue.is_ready();
            if may_park {
                // Read before the task parks: while frames arrive, it does not.
                if let Poll::Ready(frame) = io.link.poll_next(cx) {
                    return Poll::Ready(Ok(IoEvent::Frame(frame)));
                }
            }
            let queue_ready = if is_holding {
                if send_queue.is_ready() {
                    send_queue.stall();
                }
                send_queue.poll_closed(cx).map(Err)
            } else if may_park && !io.link.has_unsent() {
                let polled = send_queue.poll_parked(cx);
                parking.is_parked = polled.is_pending();
                polled
            } else {
                send_queue.poll(cx)
            };
            if let Poll::Ready(queue_ready) = queue_ready {
                queue_ready?;
                if poll_or_closed(io.link.poll_ready(cx), &io.session.send_queue, cx)?.is_ready() {
                    return Poll::Ready(Ok(IoEvent::Event));
                }
            }
            if may_park { Poll::Pending } else { io.poll_frame(waiting, cx) }
        })
        .await
    }

    /// Returns the next frame, if frames are read.
    fn poll_frame(&mut self, waiting: Waiting, cx: &mut Context<'_>) -> Poll<Result<IoEvent, ConnectionEnd>> {
        if waiting == (Waiting::Busy { is_reading: false }) {
            self.link.pause_reading();
            return Poll::Pending;
        }
        self.link.poll_next(cx).map(|frame| Ok(IoEvent::Frame(frame)))
    }

    /// Returns an event or a frame that is ready after a detached task has had its turn.
    #[cold]
    fn poll_after_detached(&mut self, waiting: Waiting, cx: &mut Context<'_>) -> Poll<Result<IoEvent, ConnectionEnd>> {
        if self.turn == Turn::Event {
            self.turn = Turn::Frame;
            let send_queue = &self.session.send_queue;
            if !self.event_holds.is_holding()
                && send_queue.is_ready()
                && poll_or_closed(self.link.poll_ready(cx), send_queue, cx)?.is_ready()
            {
                return Poll::Ready(Ok(IoEvent::Event));
            }
        }
        self.turn = Turn::Detached;
        self.poll_frame(waiting, cx)
    }

    /// Ends the connection: its memberships end, its closing handshake begins, and `cx.cancelled()` completes. If the server
    /// ends it, nothing more begins either. Does nothing if the connection has ended.
    pub(super) fn end(&mut self, end: ConnectionEnd) {
        if self.link.is_open() {
            self.session.end(end == ConnectionEnd::PeerGone);
            self.link.end(end);
        }
    }

    /// Ends the connection at the request of an action. Unlike [`end`](Self::end), sends the frames that were fed before,
    /// within the send timeout. Returns how the connection ends.
    pub(super) fn close(&mut self, request: CloseRequest) -> ConnectionEnd {
        let CloseRequest { code, reason } = request;
        if self.link.is_open() {
            self.session.end(false);
            let frame = CloseFrame { code: code.as_u16(), text: reason.into_string().into() };
            self.link.close_when_flushed(frame, self.remaining_send_time());
        }
        ConnectionEnd::ClosedByAction(code)
    }
}

/// Parks the task of a connection while it waits. Nothing else can use the connection meanwhile, because this borrows it.
struct Parking<'a, C: Consumer, T: Transport> {
    io: &'a mut ConnectionIo<C, T>,
    is_parked: bool,
}

impl<C: Consumer, T: Transport> Parking<'_, C, T> {
    /// Ends the parking. Returns whether the flusher has left bytes to send.
    #[inline]
    fn unpark(&mut self) -> bool {
        if !std::mem::take(&mut self.is_parked) {
            return false;
        }
        let rest = self.io.session.send_queue.unpark();
        let has_rest = !rest.is_empty();
        if has_rest {
            self.io.link.resume(rest);
            self.io.has_unflushed = true;
        }
        has_rest
    }
}

impl<C: Consumer, T: Transport> Drop for Parking<'_, C, T> {
    fn drop(&mut self) {
        self.unpark();
    }
}

#[cfg(all(test, feature = "axum"))]
mod tests;
