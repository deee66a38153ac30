//! The loop of one connection: one message at a time, in order, while pings are sent and answered beside it.

use std::collections::VecDeque;
use std::future::ready;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Poll;

use futures_util::{StreamExt, poll};
use tokio::time::Instant;

use super::detached::DetachedTasks;
use super::event_loop::EventLoop;
use super::heartbeat::{Heartbeat, HeartbeatEvent};
use super::io::{ConnectionIo, Lost, Next};
use super::limits::Limits;
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Scope};
use crate::dispatch::{Dispatcher, panicked, report};
use crate::error::Error;
use crate::log::Cause;
use crate::message::{self, Reply};
use crate::panic::{catch_unwind_future, contain_future};
use crate::session::{PACER, Session};
use crate::time::deadline;
use crate::transport::{CloseCode, Incoming, Transport};

/// The number of messages after which a connection yields to other tasks.
const MAX_MESSAGES_PER_TURN: usize = 64;

/// The number of attempted deliveries after which a connection yields to other tasks: one message to a large group may
/// reach it.
const MAX_DELIVERIES_PER_TURN: u32 = 8192;

/// Why the loop ended.
pub(super) enum End {
    /// The client is gone, or has said that it goes.
    Gone,
    /// The client is to be told to go.
    Close(CloseCode),
}

impl From<Lost> for End {
    fn from(lost: Lost) -> End {
        match lost {
            Lost::Gone => End::Gone,
            Lost::Ended(code) => End::Close(code),
        }
    }
}

/// Takes a connection out of its groups, on whatever way it ends.
struct Leaving<C: Consumer>(Arc<Session<C>>);

impl<C: Consumer> Drop for Leaving<C> {
    fn drop(&mut self) {
        self.0.leave_all();
    }
}

pub(super) struct Connection<C: Consumer, T: Transport> {
    pub(super) outbox: ConnectionIo<C, T>,
    pub(super) answerer: Dispatcher<C>,
    pub(super) reply: Reply,
    pub(super) aside: EventLoop<C>,
    /// How many actions may run beside the queue.
    pub(super) most_detached: usize,
}

/// Serves a connection from `#[connect]` to `#[disconnect]`.
///
/// `asked_at` counts the changes of what people may do that there had been when the door began to ask.
///
/// An idle connection is as large as this future. So nothing is moved within it, and what happens once is boxed.
pub(crate) fn run<C: Consumer, T: Transport>(
    transport: T,
    seat: Arc<Session<C>>,
    asked_at: u64,
    scope: Box<Scope<C::User>>,
    limits: &Limits,
) -> impl Future<Output = ()> + Send + use<C, T> {
    let mut connection = Connection {
        outbox: ConnectionIo::new(transport, seat.clone(), limits.send_timeout),
        answerer: Dispatcher::new(
            seat.clone(),
            limits.bounds(),
            limits.action_timeout,
            limits.max_authenticate_per_minute,
        ),
        reply: Reply::new(),
        aside: EventLoop {
            heartbeat: Heartbeat::new(limits.ping_interval, limits.idle_timeout),
            ahead: VecDeque::new(),
            most: limits.max_read_ahead,
            streaming: false,
            beside: DetachedTasks::new(),
        },
        most_detached: limits.max_detached_actions,
    };
    let pacer = seat.pacer.clone();
    let leaving = Leaving(seat);
    PACER.scope(pacer, async move {
        let served = async {
            if let Err(end) = Box::pin(connection.connected(asked_at, scope)).await {
                return end;
            }
            connection.aside.heartbeat.heard();
            connection.aside.set_expiry(&mut connection.outbox, &connection.answerer);
            connection.serve().await
        };
        let end = match catch_unwind_future(served).await {
            Ok(end) => end,
            Err(panic) => {
                tracing::error!(cause = ?Cause::new(&panic.message()), "connection task panicked");
                End::Close(CloseCode::Failed)
            }
        };
        // Before the goodbye, which takes a while. What runs beside ends here too.
        drop(leaving);
        Box::pin(deadline(connection.answerer.time, connection.aside.beside.end())).await;
        match end {
            End::Gone => Box::pin(connection.outbox.part()).await,
            End::Close(code) => Box::pin(connection.outbox.close(code)).await,
        }
        Box::pin(connection.disconnected()).await;
    })
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Runs `#[connect]`. The error is how the connection ends.
    async fn connected(&mut self, asked_at: u64, mut scope: Box<Scope<C::User>>) -> Result<(), End> {
        let Dispatcher { seat, time, .. } = &self.answerer;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head).with_seat(seat);
        let running = contain_future(seat.consumer().on_connect(&connect));
        let left = scope.expiry().map(|expiry| expiry.saturating_duration_since(Instant::now()));
        let error = match deadline(left.map_or(*time, |left| left.min(*time)), running).await {
            Some(Ok(Ok(()))) => {
                let (inserted, effects) = connect.into_outcome();
                scope.extend(inserted);
                seat.take(*scope);
                message::after(effects);
                seat.catch_up_with(asked_at).await;
                return Ok(());
            }
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => panicked(&panic),
            None if left.is_some_and(|left| left <= *time) => return Err(End::Close(CloseCode::Expired)),
            None => Error::internal("`#[connect]` took too long"),
        };
        report(connect.call(), &error);
        Err(End::Close(if error.is_fault() { CloseCode::Failed } else { CloseCode::Refused }))
    }

    /// Runs `#[disconnect]`.
    async fn disconnected(&mut self) {
        let Dispatcher { seat, time, .. } = &self.answerer;
        let Some(scope) = seat.scope() else { return };
        let leaving = contain_future(seat.consumer().on_disconnect(&scope));
        if deadline(*time, leaving).await.is_none_or(|left| left.is_err()) {
            tracing::error!("`#[disconnect]` panicked or took too long");
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            if let ControlFlow::Break(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Waits for something to do, and does all that is there to do before one flush.
    async fn turn(&mut self) -> ControlFlow<End> {
        // Apart, because what is kept while nothing is there to do needs no room beside what a message keeps.
        let Some(mut next) = self.wait().await? else { return ControlFlow::Continue(()) };
        self.aside.heartbeat.heard();
        // A client who is always heard may send nothing that makes anything be sent to it.
        gone(self.outbox.goes_on())?;
        let (mut messages, mut deliveries) = (0, 0_u32);
        let is_long = loop {
            match next {
                Some(Incoming::Text(text)) => self.text(&text).await?,
                Some(Incoming::Binary) => {
                    Dispatcher::<C>::binary(&mut self.reply);
                    gone(self.outbox.feed(self.reply.text()).await)?;
                }
                Some(Incoming::Ping) => {}
                Some(Incoming::Broken(code)) => return ControlFlow::Break(End::Close(code)),
                None => return ControlFlow::Break(End::Gone),
            }
            messages += 1;
            deliveries = deliveries.saturating_add(self.answerer.seat.pacer.take_deliveries());
            if messages >= MAX_MESSAGES_PER_TURN || deliveries >= MAX_DELIVERIES_PER_TURN {
                break true;
            }
            next = match self.aside.ahead.pop_front() {
                Some(frame) => Some(frame),
                // By the task's own waker: for another one the socket would be looked at anew.
                None => match poll!(self.outbox.transport.next()) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => break false,
                },
            };
        };
        self.reply.rest();
        if self.outbox.has_events() && !self.aside.beside.holds() {
            gone(self.outbox.deliver().await)?;
        }
        gone(self.outbox.flush().await)?;
        // What came in the meantime was heard too, and while it was answered nobody asked.
        self.aside.heartbeat.heard();
        if is_long {
            tokio::task::yield_now().await;
        }
        ControlFlow::Continue(())
    }

    /// Waits for something to do. Does it, or gives the frame that came, or that none comes any more.
    async fn wait(&mut self) -> ControlFlow<End, Option<Option<Incoming>>> {
        let (holds, reading) = (self.aside.beside.holds(), self.aside.ahead.is_empty());
        tokio::select! {
            biased;
            next = self.outbox.next(reading, holds, |cx| self.aside.beside.poll(cx)) => match gone(next)? {
                Next::Frame(frame) => return ControlFlow::Continue(Some(frame)),
                Next::Event => {
                    gone(self.outbox.deliver().await)?;
                    gone(self.outbox.flush().await)?;
                }
                // It goes out with what comes next, or while nothing does.
                Next::DetachedTasks => self.aside.send(&mut self.outbox, &self.answerer)?,
            },
            // Frames that the previous turn left when it reached its limit.
            () = ready(()), if !reading => return ControlFlow::Continue(Some(self.aside.ahead.pop_front())),
            beat = self.aside.heartbeat.beat() => self.beat(&beat).await?,
        }
        ControlFlow::Continue(None)
    }

    async fn beat(&mut self, beat: &HeartbeatEvent) -> ControlFlow<End> {
        match beat {
            HeartbeatEvent::Ping => {
                gone(self.outbox.ping().map_err(Lost::from))?;
                gone(self.outbox.flush().await)
            }
            HeartbeatEvent::GiveUp => ControlFlow::Break(End::Close(CloseCode::Idle)),
            HeartbeatEvent::Expire => ControlFlow::Break(End::Close(CloseCode::Expired)),
        }
    }
}

pub(super) fn gone<S>(sent: Result<S, Lost>) -> ControlFlow<End, S> {
    match sent {
        Ok(done) => ControlFlow::Continue(done),
        Err(lost) => ControlFlow::Break(lost.into()),
    }
}
