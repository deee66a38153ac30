//! The task of one connection: `#[connect]`, then one message at a time in order, then `#[disconnect]`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use http::StatusCode;
use tokio::time::Instant;

use super::detached::DetachedTasks;
use super::event_loop::EventLoop;
use super::heartbeat::Heartbeat;
use super::io::ConnectionIo;
use super::limits::Limits;
use super::message_limiter::MessageLimiter;
use super::slots::Slots;
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Disconnect, DisconnectReason, Scope};
use crate::dispatch::{Dispatcher, panic_error, report};
use crate::error::Error;
use crate::log::{Cause, Truncated};
use crate::message::Reply;
use crate::panic::{catch_unwind_future, contain_future, in_span, log_entry};
use crate::session::memberships::EndedMemberships;
use crate::session::{DrainPhase, MAX_DELIVERIES_PER_TURN, NotifyAfterPoll, PACER, Session, SessionGuard};
use crate::time::deadline;
use crate::transport::{CloseReason, ConnectionEnd, Incoming, Transport};

/// The number of messages after which a connection yields to other tasks.
const MAX_MESSAGES_PER_TURN: usize = 64;

/// The state of one connection's task.
pub(super) struct Connection<C: Consumer, T: Transport> {
    pub(super) io: ConnectionIo<C, T>,
    pub(super) dispatcher: Dispatcher<C>,
    pub(super) reply: Reply,
    pub(super) event_loop: EventLoop<C>,
}

/// The settings of an endpoint that concern its connections, in addition to their limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionSettings {
    /// How long a connection may stay anonymous.
    pub(crate) authenticate_within: Option<Duration>,
    /// Whether clients may call the built-in action `cancel`.
    pub(crate) allows_cancel: bool,
}

/// Serves a connection from `#[connect]` to `#[disconnect]`.
///
/// `changes_at_start` is the number of changes of rights when the handshake began.
///
/// An idle connection is as large as this future. So nothing is moved within it, and futures that run once are boxed.
pub(crate) fn run<C: Consumer, T: Transport>(
    transport: T,
    session: &Arc<Session<C>>,
    session_guard: SessionGuard<C>,
    changes_at_start: u64,
    scope: Box<Scope<C::User>>,
    limits: &Limits,
    settings: ConnectionSettings,
) -> impl Future<Output = ()> + Send + use<C, T> {
    let mut connection = Connection {
        io: ConnectionIo::new(
            transport,
            session.clone(),
            limits.send_timeout,
            limits.messages_per_connection.map(|rate| Box::new(MessageLimiter::new(rate))),
        ),
        dispatcher: Dispatcher::new(
            session.clone(),
            limits.request_limits(),
            limits.action_timeout,
            limits.max_authenticate_per_minute,
            settings.allows_cancel,
        ),
        reply: Reply::new(),
        event_loop: EventLoop {
            heartbeat: Heartbeat::new(limits.ping_interval, limits.idle_timeout),
            read_ahead: VecDeque::new(),
            max_read_ahead: limits.max_read_ahead,
            max_read_ahead_bytes: limits.max_read_ahead_bytes,
            is_streaming: false,
            is_cut: false,
            detached: DetachedTasks::new(Slots::new(limits.max_detached_actions, limits.max_streams)),
            anonymous_until: settings.authenticate_within.and_then(|time_limit| Instant::now().checked_add(time_limit)),
            max_lingering: limits.max_lingering,
        },
    };
    let pacer = session.pacer.clone();
    let span = session.span.as_ref().and_then(|span| span.try_clone());
    let task = NotifyAfterPoll::new(PACER.scope(pacer, async move {
        let serve = async {
            if let Err(end) = Box::pin(connection.on_connect(changes_at_start, scope)).await {
                return end;
            }
            connection.event_loop.heartbeat.record_activity();
            connection.event_loop.update_expiry(&mut connection.io, &connection.dispatcher);
            connection.serve().await
        };
        let end = match catch_unwind_future(serve).await {
            Ok(end) => end,
            Err(panic) => {
                log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "connection task panicked");
                ConnectionEnd::Close(CloseReason::Failed)
            }
        };
        Box::pin(connection.finish(end, session_guard)).await;
    }));
    in_span(span, task)
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Runs `#[connect]` and establishes the session. The error is how the connection ends.
    async fn on_connect(&mut self, changes_at_start: u64, mut scope: Box<Scope<C::User>>) -> Result<(), ConnectionEnd> {
        let Dispatcher { session, action_timeout, .. } = &self.dispatcher;
        let drain = &session.registry.drain;
        if drain.is_closing() {
            return Err(ConnectionEnd::Close(CloseReason::ServiceRestart));
        }
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head).with_session(session);
        let hook = contain_future(session.consumer().on_connect(&connect));
        let remaining = scope.expiry().map(|expiry| expiry.saturating_duration_since(Instant::now()));
        let timeout = remaining.map_or(*action_timeout, |remaining| remaining.min(*action_timeout));
        let Some(outcome) = drain.run_until(DrainPhase::CuttingActions, deadline(timeout, hook)).await else {
            self.event_loop.is_cut = true;
            return Err(ConnectionEnd::Close(CloseReason::ServiceRestart));
        };
        let error = match outcome {
            Some(Ok(Ok(()))) => {
                let (extensions, effects) = connect.into_outcome();
                scope.extend(extensions);
                session.establish(*scope);
                session.registry.user_subscribed(session.user_id()).await;
                session.schedule_renewal();
                if let Some(effects) = effects {
                    effects.run_after();
                }
                if drain.is_closing() {
                    // The drain may not have found the session.
                    return Err(ConnectionEnd::Close(CloseReason::ServiceRestart));
                }
                let revalidated = session.revalidate_since(changes_at_start);
                // Nothing begins before, so that nothing is cut.
                let revalidated = drain.run_until(DrainPhase::CuttingActions, revalidated).await;
                return revalidated.ok_or(ConnectionEnd::Close(CloseReason::ServiceRestart));
            }
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => panic_error(&panic),
            None if remaining.is_some_and(|remaining| remaining <= *action_timeout) => {
                return Err(ConnectionEnd::Close(CloseReason::Expired));
            }
            None => Error::internal("`#[connect]` took too long"),
        };
        report(connect.call(), &error);
        Err(ConnectionEnd::Close(match error.status() {
            _ if error.is_fault() => CloseReason::Failed,
            StatusCode::UNAUTHORIZED => CloseReason::Unauthenticated,
            _ => CloseReason::Refused,
        }))
    }

    /// Ends the connection: waits for its last action, removes the session from the registry, and runs `#[disconnect]` while
    /// the closing handshake is in progress.
    async fn finish(mut self, end: ConnectionEnd, mut session_guard: SessionGuard<C>) {
        let action_timeout = self.dispatcher.action_timeout;
        let session = self.dispatcher.session.clone();
        let drain = &session.registry.drain;
        let lingered = drain.run_until(DrainPhase::CuttingActions, self.linger(end));
        match catch_unwind_future(lingered).await {
            Ok(Some(())) => {}
            Ok(None) => self.event_loop.is_cut = true,
            Err(panic) => log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "connection task panicked"),
        }
        self.event_loop.detached.shut_down().await;
        let ended_memberships = session.memberships.take_ended();
        let reason = match end {
            ConnectionEnd::PeerGone => DisconnectReason::PeerGone,
            ConnectionEnd::Close(reason) => DisconnectReason::Closed { code: reason.as_u16() },
            ConnectionEnd::ClosedByAction(code) => DisconnectReason::Closed { code: code.as_u16() },
        };
        let mut ended_session = session_guard.leave_registry(Some(reason));
        if self.event_loop.is_cut {
            let user = session.user_id().map(Truncated::new);
            log_entry!(WARN, ?user, "actions or `#[connect]` dropped: the deadline of the drain passed");
        }
        let Connection { mut io, event_loop, .. } = self;
        // If the stream panics, `#[disconnect]` runs nevertheless.
        let closed = catch_unwind_future(poll_fn(|cx| io.link.poll_closed(cx)));
        let hook = on_disconnect(&session, reason, &ended_memberships, action_timeout);
        let (closed, hook) = tokio::join!(
            drain.run_until(DrainPhase::CuttingConnections, closed),
            drain.run_until(DrainPhase::CuttingConnections, hook)
        );
        if let Some(ended_session) = &mut ended_session {
            ended_session.is_cut = event_loop.is_cut || hook.is_none();
        }
        if hook.is_none() {
            let user = session.user_id().map(Truncated::new);
            log_entry!(WARN, ?user, "`#[disconnect]` dropped: the deadline of the drain passed");
        }
        if let Some(Err(panic)) = closed {
            log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "connection task panicked");
        }
    }

    /// Processes input until the connection ends.
    async fn serve(&mut self) -> ConnectionEnd {
        loop {
            if let Err(end) = self.process_input().await {
                return end;
            }
        }
    }

    /// Waits for a frame, and processes all frames that have arrived before one flush.
    async fn process_input(&mut self) -> Result<(), ConnectionEnd> {
        // A future of its own: its state and that of a message being processed then share the same memory.
        let mut next = self.event_loop.next_frame(&mut self.io, &self.dispatcher).await?;
        self.event_loop.heartbeat.record_activity();
        // While frames keep arriving, the heartbeat is not polled, and frames that cause no reply check nothing themselves.
        self.io.check_open()?;
        let (mut messages, mut deliveries) = (0, 0_u32);
        let has_reached_limit = loop {
            match next {
                Some(Incoming::Text(text)) => self.process_message(&text).await?,
                Some(Incoming::Binary) => {
                    Dispatcher::<C>::refuse_binary(&mut self.reply);
                    self.io.feed(self.reply.text()).await?;
                }
                Some(Incoming::Excess(message)) => self.process_excess(*message).await?,
                Some(Incoming::Ping | Incoming::Pong) => {}
                Some(Incoming::Broken(reason)) => return Err(ConnectionEnd::Close(reason)),
                None => return Err(ConnectionEnd::PeerGone),
            }
            messages += 1;
            deliveries = deliveries.saturating_add(self.dispatcher.session.pacer.take_deliveries());
            if messages >= MAX_MESSAGES_PER_TURN || deliveries >= MAX_DELIVERIES_PER_TURN {
                break true;
            }
            next = match self.event_loop.read_ahead.pop_front() {
                Some(frame) => {
                    // The transport is not read while the message is processed.
                    self.io.link.pause_reading();
                    Some(frame)
                }
                // Polled with the task's own waker: with another one, the transport would poll the socket again.
                None => match poll!(poll_fn(|cx| self.io.link.poll_next(cx))) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => break false,
                },
            };
        };
        self.reply.shrink();
        if self.io.has_events() && !self.io.event_holds.is_holding() {
            self.io.deliver().await?;
        }
        self.io.flush().await?;
        // Frames that arrived meanwhile count as activity, and no ping was sent while they were processed.
        self.event_loop.heartbeat.record_activity();
        if has_reached_limit {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// Runs `#[disconnect]`, if the session was established.
async fn on_disconnect<C: Consumer>(
    session: &Arc<Session<C>>,
    reason: DisconnectReason,
    ended_memberships: &EndedMemberships<C>,
    timeout: Duration,
) {
    let Some(scope) = session.scope() else { return };
    let cx = Disconnect::new(&scope, reason, session, ended_memberships);
    let hook = contain_future(session.consumer().on_disconnect(&cx));
    let user = session.user_id().map(Truncated::new);
    match deadline(timeout, hook).await {
        Some(Ok(())) => {}
        Some(Err(panic)) => log_entry!(ERROR, ?user, cause = ?Cause::new(&panic.message()), "`#[disconnect]` panicked"),
        None => log_entry!(ERROR, ?user, "`#[disconnect]` took too long"),
    }
}
