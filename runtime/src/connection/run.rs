//! The loop of one connection: one message at a time, in order, while pings are sent and answered beside it.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;
use std::task::Poll;

use futures_util::{StreamExt, poll};
use tokio::time::Instant;

use super::detached::DetachedTasks;
use super::event_loop::EventLoop;
use super::heartbeat::{Heartbeat, HeartbeatEvent};
use super::io::{ConnectionIo, Next};
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
use crate::transport::{CloseCode, ConnectionEnd, Incoming, Transport};

/// The number of messages after which a connection yields to other tasks.
const MAX_MESSAGES_PER_TURN: usize = 64;

/// The number of attempted deliveries after which a connection yields to other tasks: one message to a large group may
/// reach it.
const MAX_DELIVERIES_PER_TURN: u32 = 8192;

/// Takes a connection out of its groups, on whatever way it ends.
struct Leaving<C: Consumer>(Arc<Session<C>>);

impl<C: Consumer> Drop for Leaving<C> {
    fn drop(&mut self) {
        self.0.leave_registry();
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
/// `changes_at_start` counts the changes of what people may do that there had been when the door began to ask.
///
/// An idle connection is as large as this future. So nothing is moved within it, and what happens once is boxed.
pub(crate) fn run<C: Consumer, T: Transport>(
    transport: T,
    session: Arc<Session<C>>,
    changes_at_start: u64,
    scope: Box<Scope<C::User>>,
    limits: &Limits,
) -> impl Future<Output = ()> + Send + use<C, T> {
    let mut connection = Connection {
        outbox: ConnectionIo::new(transport, session.clone(), limits.send_timeout),
        answerer: Dispatcher::new(
            session.clone(),
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
    let pacer = session.pacer.clone();
    let leaving = Leaving(session);
    PACER.scope(pacer, async move {
        let served = async {
            if let Err(end) = Box::pin(connection.connected(changes_at_start, scope)).await {
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
                ConnectionEnd::Close(CloseCode::Failed)
            }
        };
        // Before the goodbye, which takes a while. What runs beside ends here too.
        drop(leaving);
        Box::pin(deadline(connection.answerer.time, connection.aside.beside.end())).await;
        match end {
            ConnectionEnd::PeerGone => Box::pin(connection.outbox.part()).await,
            ConnectionEnd::Close(code) => Box::pin(connection.outbox.close(code)).await,
        }
        Box::pin(connection.disconnected()).await;
    })
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Runs `#[connect]`. The error is how the connection ends.
    async fn connected(&mut self, changes_at_start: u64, mut scope: Box<Scope<C::User>>) -> Result<(), ConnectionEnd> {
        let Dispatcher { session, time, .. } = &self.answerer;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head).with_seat(session);
        let running = contain_future(session.consumer().connected(&connect));
        let left = scope.expiry().map(|expiry| expiry.saturating_duration_since(Instant::now()));
        let error = match deadline(left.map_or(*time, |left| left.min(*time)), running).await {
            Some(Ok(Ok(()))) => {
                let (inserted, effects) = connect.into_outcome();
                scope.extend(inserted);
                session.establish(*scope);
                message::after(effects);
                session.revalidate_since(changes_at_start).await;
                return Ok(());
            }
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => panicked(&panic),
            None if left.is_some_and(|left| left <= *time) => return Err(ConnectionEnd::Close(CloseCode::Expired)),
            None => Error::internal("`#[connect]` took too long"),
        };
        report(connect.call(), &error);
        Err(ConnectionEnd::Close(if error.is_fault() { CloseCode::Failed } else { CloseCode::Refused }))
    }

    /// Runs `#[disconnect]`.
    async fn disconnected(&mut self) {
        let Dispatcher { session, time, .. } = &self.answerer;
        let Some(scope) = session.scope() else { return };
        let leaving = contain_future(session.consumer().disconnected(&scope));
        if deadline(*time, leaving).await.is_none_or(|left| left.is_err()) {
            tracing::error!("`#[disconnect]` panicked or took too long");
        }
    }

    async fn serve(&mut self) -> ConnectionEnd {
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Waits for something to do, and does all that is there to do before one flush.
    async fn turn(&mut self) -> Result<(), ConnectionEnd> {
        // Apart, because what is kept while nothing is there to do needs no room beside what a message keeps.
        let Some(mut next) = self.wait().await? else { return Ok(()) };
        self.aside.heartbeat.heard();
        // A client who is always heard may send nothing that makes anything be sent to it.
        self.outbox.check_open()?;
        let (mut messages, mut deliveries) = (0, 0_u32);
        let is_long = loop {
            match next {
                Some(Incoming::Text(text)) => self.text(&text).await?,
                Some(Incoming::Binary) => {
                    Dispatcher::<C>::binary(&mut self.reply);
                    self.outbox.feed(self.reply.text()).await?;
                }
                Some(Incoming::Ping) => {}
                Some(Incoming::Broken(code)) => return Err(ConnectionEnd::Close(code)),
                None => return Err(ConnectionEnd::PeerGone),
            }
            messages += 1;
            deliveries = deliveries.saturating_add(self.answerer.session.pacer.take_deliveries());
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
            self.outbox.deliver().await?;
        }
        self.outbox.flush().await?;
        // What came in the meantime was heard too, and while it was answered nobody asked.
        self.aside.heartbeat.heard();
        if is_long {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Waits for something to do. Does it, or gives the frame that came, or that none comes any more.
    async fn wait(&mut self) -> Result<Option<Option<Incoming>>, ConnectionEnd> {
        let (holds, reading) = (self.aside.beside.holds(), self.aside.ahead.is_empty());
        tokio::select! {
            biased;
            next = self.outbox.next(reading, holds, |cx| self.aside.beside.poll(cx)) => match next? {
                Next::Frame(frame) => return Ok(Some(frame)),
                Next::Event => {
                    self.outbox.deliver().await?;
                    self.outbox.flush().await?;
                }
                // It goes out with what comes next, or while nothing does.
                Next::DetachedTasks => self.aside.send(&mut self.outbox, &self.answerer)?,
            },
            // Frames that the previous turn left when it reached its limit.
            () = ready(()), if !reading => return Ok(Some(self.aside.ahead.pop_front())),
            beat = self.aside.heartbeat.beat() => self.beat(&beat).await?,
        }
        Ok(None)
    }

    async fn beat(&mut self, beat: &HeartbeatEvent) -> Result<(), ConnectionEnd> {
        match beat {
            HeartbeatEvent::Ping => {
                self.outbox.ping()?;
                self.outbox.flush().await
            }
            HeartbeatEvent::GiveUp => Err(ConnectionEnd::Close(CloseCode::Idle)),
            HeartbeatEvent::Expire => Err(ConnectionEnd::Close(CloseCode::Expired)),
        }
    }
}
