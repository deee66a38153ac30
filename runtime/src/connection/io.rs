//! Frames on their way out: fed one by one, flushed together, and never waited for without end.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;

use crate::consumer::Consumer;
use crate::session::{Coalesce, Dequeued, Ended, SendQueue, Session};
use crate::time::deadline;
use crate::transport::{CloseCode, FrameText, Gone, Incoming, Outgoing, Transport};

/// How long a client may take to answer a close, so that it reads the code before the socket is gone.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a connection has to do.
pub(super) enum Next {
    /// A frame has come; none comes any more.
    Frame(Option<Incoming>),
    /// An event waits, and there is room for it.
    Event,
    /// Something runs beside that wants to be looked at, and has what it wants.
    DetachedTasks,
}

/// What has to be there for something that runs beside to be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IoNeed {
    Nothing,
    /// Room for a frame.
    Room,
}

/// How many events are fed before they are flushed.
const IN_A_ROW: usize = 64;

/// Whether an event was fed, and whether another stands in front of the same place.
pub(super) struct Drained {
    pub(super) any: bool,
    more: bool,
}

/// Why nothing can be sent any more.
#[derive(Debug)]
pub(super) enum Lost {
    /// The client is gone.
    Gone,
    /// The connection is to end with this code.
    Ended(CloseCode),
}

impl From<Gone> for Lost {
    fn from(_: Gone) -> Lost {
        Lost::Gone
    }
}

impl From<Ended> for Lost {
    fn from(Ended(code): Ended) -> Lost {
        Lost::Ended(code)
    }
}

/// Waits for the client, but not beyond the connection's end.
fn patiently<N: Coalesce>(
    ready: Poll<Result<(), Gone>>,
    mailbox: &SendQueue<N>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Lost>> {
    match ready {
        Poll::Ready(outcome) => {
            mailbox.unstall();
            Poll::Ready(outcome.map_err(Lost::from))
        }
        Poll::Pending => {
            // A task without budget is told that a writable socket is pending: it runs again soon, and is not stalled.
            if has_budget_remaining() {
                mailbox.stall();
            }
            mailbox.poll_end(cx).map(|ended| Err(ended.into()))
        }
    }
}

/// The sending side of a connection. It gives up on a client that does not take what is sent to it.
pub(super) struct ConnectionIo<C: Consumer, T> {
    pub(super) transport: T,
    /// Where events wait to go out.
    seat: Arc<Session<C>>,
    patience: Duration,
    /// Whether something was fed that is not flushed yet.
    unsent: bool,
    /// Whether a ping could not be sent for what the client had not taken yet.
    skipped: bool,
    /// Whether events wait for a reply that is still to go out.
    pub(super) holding: bool,
    /// When the credentials of whoever sits there run out. Nothing goes out to them from then on.
    pub(super) expiry: Option<Instant>,
}

impl<C: Consumer, T: Transport> ConnectionIo<C, T> {
    pub(super) fn new(transport: T, seat: Arc<Session<C>>, patience: Duration) -> ConnectionIo<C, T> {
        ConnectionIo { transport, seat, patience, unsent: false, skipped: false, holding: false, expiry: None }
    }

    pub(super) async fn feed(&mut self, text: &str) -> Result<(), Lost> {
        self.room().await?;
        self.put(text)
    }

    /// Whether there is room for a frame, as there mostly is. Where there is none nobody is woken once there is: that is
    /// waited for by [`room`](Outbox::room).
    #[inline]
    pub(super) fn has_room(&mut self) -> Result<bool, Lost> {
        let Some(room) = poll_fn(|cx| self.transport.poll_ready_unpin(cx)).now_or_never() else { return Ok(false) };
        self.goes_on()?;
        room?;
        Ok(true)
    }

    /// Waits until there is room for a frame.
    pub(super) async fn room(&mut self) -> Result<(), Lost> {
        if self.has_room()? {
            return Ok(());
        }
        let patience = self.patience();
        let (transport, mailbox) = (&mut self.transport, &self.seat.mailbox);
        let room = poll_fn(|cx| patiently(transport.poll_ready_unpin(cx), mailbox, cx));
        let room = deadline(patience, room).await;
        self.goes_on()?;
        room.ok_or(Gone)?
    }

    /// How long a client may take for what is sent to it: its credentials are not to run out meanwhile.
    #[inline]
    fn patience(&self) -> Duration {
        let left = self.expiry.map(|expiry| expiry.saturating_duration_since(Instant::now()));
        left.map_or(self.patience, |left| left.min(self.patience))
    }

    /// Feeds a frame for which there is room.
    #[inline]
    pub(super) fn put(&mut self, text: impl Into<FrameText>) -> Result<(), Lost> {
        self.unsent = true;
        Ok(self.transport.start_send_unpin(Outgoing::Text(text.into()))?)
    }

    /// Whether the connection goes on: it has not been ended, and the credentials of whoever sits there are still good.
    #[inline]
    pub(super) fn goes_on(&self) -> Result<(), Lost> {
        self.seat.mailbox.goes_on()?;
        match self.expiry {
            Some(expiry) if Instant::now() >= expiry => Err(Lost::Ended(CloseCode::Expired)),
            _ => Ok(()),
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), Lost> {
        let patience = self.patience();
        let (transport, mailbox) = (&mut self.transport, &self.seat.mailbox);
        let flushed = poll_fn(|cx| patiently(transport.poll_flush_unpin(cx), mailbox, cx));
        let Some(flushed) = deadline(patience, flushed).await else {
            self.goes_on()?;
            return Err(Gone.into());
        };
        flushed?;
        self.unsent = false;
        Ok(())
    }

    /// Whether an event waits, or the connection is to end.
    pub(super) fn has_events(&self) -> bool {
        self.seat.mailbox.is_ready()
    }

    /// Feeds the events that wait, so many at the most that what was fed goes out before long.
    pub(super) async fn deliver(&mut self) -> Result<(), Lost> {
        for _ in 0..IN_A_ROW {
            self.room().await?;
            if !self.deliver_next(u64::MAX)?.more {
                break;
            }
        }
        Ok(())
    }

    /// Feeds the events that stand in front of that place. Each is taken only when there is room for it: until then it can be
    /// recalled.
    pub(super) async fn deliver_before(&mut self, place: u64) -> Result<(), Lost> {
        loop {
            self.room().await?;
            if !self.deliver_next(place)?.more {
                return Ok(());
            }
        }
    }

    /// Feeds the event that has waited longest, for which there is room.
    pub(super) fn deliver_one(&mut self) -> Result<(), Lost> {
        self.goes_on()?;
        self.deliver_next(u64::MAX)?;
        Ok(())
    }

    /// Feeds the next event, if it stands in front of that place.
    pub(super) fn deliver_next(&mut self, place: u64) -> Result<Drained, Lost> {
        match self.seat.mailbox.take_before(place)? {
            None => Ok(Drained { any: false, more: false }),
            Some(Dequeued { frame, more }) => {
                self.put(frame)?;
                Ok(Drained { any: true, more })
            }
        }
    }

    /// The place behind all events that wait now.
    pub(super) fn place(&self) -> Result<u64, Lost> {
        Ok(self.seat.mailbox.place()?)
    }

    /// Feeds a ping, unless the client does not even take what it has been sent before.
    pub(super) fn ping(&mut self) -> Result<(), Gone> {
        let Some(ready) = poll_fn(|cx| self.transport.poll_ready_unpin(cx)).now_or_never() else {
            self.skipped = true;
            return Ok(());
        };
        ready?;
        self.unsent = true;
        self.transport.start_send_unpin(Outgoing::Ping)
    }

    /// Whether the client has taken everything since it last could not be asked for a sign of life.
    pub(super) fn caught_up(&mut self) -> bool {
        !self.unsent && std::mem::take(&mut self.skipped)
    }

    /// What comes next, while what was fed goes out beside. Without `reading` no frame comes, and no event while something
    /// `holds` them. `beside` says whether something else is there to be sent. Cancel-safe.
    pub(super) async fn next(
        &mut self,
        reading: bool,
        holds: bool,
        mut beside: impl FnMut(&mut Context<'_>) -> Poll<IoNeed>,
    ) -> Result<Next, Lost> {
        poll_fn(|cx| {
            if self.unsent && self.transport.poll_flush_unpin(cx)?.is_ready() {
                self.unsent = false;
            }
            if let Poll::Ready(wants) = beside(cx)
                && (wants == IoNeed::Nothing
                    || patiently(self.transport.poll_ready_unpin(cx), &self.seat.mailbox, cx)?.is_ready())
            {
                return Poll::Ready(self.goes_on().map(|()| Next::DetachedTasks));
            }
            let mailbox = &self.seat.mailbox;
            let waiting = if holds || self.holding {
                if mailbox.is_ready() {
                    mailbox.stall();
                }
                mailbox.poll_end(cx).map(Err)
            } else {
                mailbox.poll(cx)
            };
            if let Poll::Ready(waiting) = waiting {
                waiting?;
                if patiently(self.transport.poll_ready_unpin(cx), &self.seat.mailbox, cx)?.is_ready() {
                    return Poll::Ready(Ok(Next::Event));
                }
            }
            if reading { self.transport.poll_next_unpin(cx).map(|frame| Ok(Next::Frame(frame))) } else { Poll::Pending }
        })
        .await
    }

    /// Sends what is left to a client that has said that it goes, the answer to that included.
    pub(super) async fn part(&mut self) {
        let _ = deadline(GOODBYE, self.transport.flush()).await;
    }

    /// Says why, and stays for a moment: bytes that nobody reads would reset the connection under the reason.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let goodbye = async {
            if self.transport.send(Outgoing::Close(code)).await.is_ok() {
                while self.transport.next().await.is_some() {}
                // After what cannot be read nothing more is read, so that the client's own end is not seen.
                if code.is_unreadable() {
                    pending::<()>().await;
                }
            }
        };
        let _ = deadline(GOODBYE, goodbye).await;
    }
}
