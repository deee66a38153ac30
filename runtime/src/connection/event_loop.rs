//! The event loop: the one place where a connection waits. While it is idle, the next frame ends the wait. While an action
//! runs, frames are read ahead and the end of the action ends the wait. Events, detached tasks and the heartbeat are
//! processed in both.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

use super::detached::DetachedTasks;
use super::heartbeat::{Heartbeat, HeartbeatEvent};
use super::io::{ConnectionIo, IoEvent, IoNeed, Waiting};
use super::slots::Cancellable;
use crate::consumer::Consumer;
use crate::dispatch::{Dispatcher, Outcome};
use crate::error::Error;
use crate::message::Reply;
use crate::transport::{CloseReason, ConnectionEnd, FrameText, Incoming, Transport};

/// What a connection has to process next.
enum LoopEvent<O> {
    /// The output of the action that runs.
    Output(O),
    Io(IoEvent),
    Heartbeat(HeartbeatEvent),
}

/// The state of a connection's event loop.
pub(super) struct EventLoop<C: Consumer> {
    pub(super) heartbeat: Heartbeat,
    /// Frames that were read while an action ran.
    pub(super) read_ahead: VecDeque<Incoming>,
    pub(super) max_read_ahead: usize,
    pub(super) max_read_ahead_bytes: usize,
    /// Whether a stream of replies is being sent. Unlike an action, it may run without a time limit.
    pub(super) is_streaming: bool,
    /// Whether an action or `#[connect]` was dropped at the deadline of a drain.
    pub(super) is_cut: bool,
    pub(super) detached: DetachedTasks<C>,
    /// When the connection closes if it is still anonymous.
    pub(super) anonymous_until: Option<Instant>,
    pub(super) max_lingering: usize,
}

impl<C: Consumer> EventLoop<C> {
    /// Returns whether further frames are read. After [`Incoming::Broken`] the stream ends, which must not end the
    /// connection before the messages in front of it are dispatched.
    fn is_reading(&self) -> bool {
        let (backlog, backlog_bytes) = self.detached.backlog();
        self.read_ahead.len() + backlog < self.max_read_ahead
            && self.read_ahead.iter().map(Incoming::len).sum::<usize>() + backlog_bytes < self.max_read_ahead_bytes
            && !matches!(self.read_ahead.back(), Some(Incoming::Broken(_)))
    }

    /// Waits for what has to be processed next: the output of `action`, or else the input and output of the connection, or
    /// else the heartbeat.
    async fn next<T: Transport, F: Future>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        waiting: Waiting,
        action: Pin<&mut F>,
    ) -> Result<LoopEvent<F::Output>, ConnectionEnd> {
        let is_held_in_order = io.event_holds.is_held_in_order();
        let poll_detached = |cx: &mut Context<'_>| match self.detached.poll(cx) {
            Poll::Ready(IoNeed::Writable) if is_held_in_order => Poll::Pending,
            need => need,
        };
        tokio::select! {
            biased;
            output = action => Ok(LoopEvent::Output(output)),
            event = io.next_event(waiting, poll_detached) => Ok(LoopEvent::Io(event?)),
            event = self.heartbeat.next_event() => Ok(LoopEvent::Heartbeat(event)),
        }
    }

    /// Returns the next frame, or `None` if the stream has ended. No action runs, so that this may wait for the client to
    /// take events.
    pub(super) async fn next_frame<T: Transport>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
    ) -> Result<Option<Incoming>, ConnectionEnd> {
        if let Some(frame) = self.read_ahead.pop_front() {
            // The transport is not read while the message is processed.
            io.link.pause_reading();
            return Ok(Some(frame));
        }
        loop {
            match self.next(io, Waiting::Idle, pin!(pending::<Infallible>())).await? {
                LoopEvent::Output(never) => match never {},
                LoopEvent::Io(IoEvent::Frame(frame)) => return Ok(frame),
                LoopEvent::Io(IoEvent::Event) => {
                    io.deliver().await?;
                    io.flush().await?;
                }
                LoopEvent::Io(IoEvent::Rest) => io.flush().await?,
                // Flushed with the next frames, or by `next_event` if there are none.
                LoopEvent::Io(IoEvent::Detached) => self.send_detached(io, dispatcher)?,
                LoopEvent::Heartbeat(event) => {
                    self.handle_heartbeat(io, true, &event)?;
                    io.flush().await?;
                }
            }
        }
    }

    /// Processes events until `action` is ready. Waits for nothing else, so that the action makes progress.
    pub(super) async fn drive_until<T: Transport, F: Future>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
        mut action: Pin<&mut F>,
    ) -> Result<F::Output, ConnectionEnd> {
        loop {
            if let Some(output) = self.step(io, dispatcher, action.as_mut()).await? {
                return Ok(output);
            }
        }
    }

    /// Processes one event, or returns the output of `action` if it is ready.
    pub(super) async fn step<T: Transport, F: Future>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
        action: Pin<&mut F>,
    ) -> Result<Option<F::Output>, ConnectionEnd> {
        let is_reading = self.is_reading();
        match self.next(io, Waiting::Busy { is_reading }, action).await? {
            LoopEvent::Output(output) => return Ok(Some(output)),
            LoopEvent::Io(IoEvent::Frame(frame)) => {
                // While frames keep arriving, the heartbeat is not polled and would not notice the expiry.
                io.check_open()?;
                self.receive(dispatcher, frame)?;
                // Pings and pongs are not bounded by the limits of what is read ahead, and must not starve other tasks.
                consume_budget().await;
            }
            LoopEvent::Io(IoEvent::Event) => io.deliver_one()?,
            // Only a task that has parked gets one, and `next_event` flushes it.
            LoopEvent::Io(IoEvent::Rest) => {}
            LoopEvent::Io(IoEvent::Detached) => self.send_detached(io, dispatcher)?,
            LoopEvent::Heartbeat(event) => self.handle_heartbeat(io, is_reading, &event)?,
        }
        Ok(None)
    }

    /// Feeds a ping, or returns how the connection ends.
    fn handle_heartbeat<T: Transport>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        is_reading: bool,
        event: &HeartbeatEvent,
    ) -> Result<(), ConnectionEnd> {
        match event {
            HeartbeatEvent::Ping => {
                self.shrink();
                io.shrink();
                io.ping()
            }
            // A silent client may be alive if nothing is read, or if a ping was skipped. Reading resumes when the action
            // ends; a stream may not end.
            HeartbeatEvent::Idle if (!is_reading && !self.is_streaming) || io.has_caught_up() => {
                self.heartbeat.record_activity();
                Ok(())
            }
            HeartbeatEvent::Idle => Err(ConnectionEnd::Close(CloseReason::Idle)),
            HeartbeatEvent::Expiry => io.check_open(),
        }
    }

    /// Frees buffers that a burst has grown and that are empty now. Called once per ping interval, so that a connection in
    /// use allocates them anew at most as often.
    fn shrink(&mut self) {
        if self.read_ahead.is_empty() {
            self.read_ahead = VecDeque::new();
        }
        self.detached.shrink();
    }

    /// Processes events while the action of a message is pending. Boxed, because an idle connection is as large as all
    /// futures that it may wait for, and the allocation is small compared to an action that waits.
    #[cold]
    pub(super) fn drive_message<'m, T: Transport, F: Future<Output = Outcome> + Send>(
        &'m mut self,
        io: &'m mut ConnectionIo<C, T>,
        dispatcher: &'m Dispatcher<C>,
        text: &'m FrameText,
        action: Pin<&'m mut F>,
    ) -> BoxFuture<'m, Result<Outcome, ConnectionEnd>> {
        // Later messages to `authenticate` wait for this one.
        self.detached.is_authenticating |= dispatcher.is_authentication(text);
        let cancellable = Cancellable::new(dispatcher, text);
        let slot = cancellable.map(|cancellable| self.detached.slots.record(cancellable));
        Box::pin(async move {
            let _slot = slot;
            let outcome = self.drive_body(io, dispatcher, action).await?;
            if let Outcome::Authenticated { .. } = outcome {
                self.detached.start_next_authentication();
            }
            Ok(outcome)
        })
    }

    /// Processes events until no authentication is in progress.
    pub(super) async fn wait_until_authenticated<T>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
    ) -> Result<(), ConnectionEnd>
    where
        T: Transport,
    {
        while self.detached.is_authenticating {
            self.step(io, dispatcher, pin!(pending::<()>())).await?;
        }
        Ok(())
    }

    /// Processes a frame that arrives while an action runs.
    fn receive(&mut self, dispatcher: &Dispatcher<C>, frame: Option<Incoming>) -> Result<(), ConnectionEnd> {
        self.heartbeat.record_activity();
        match frame {
            Some(Incoming::Ping | Incoming::Pong) => {}
            Some(Incoming::Broken(reason)) if self.is_streaming => return Err(ConnectionEnd::Close(reason)),
            // Not queued: the running action may take longer than the current credentials are valid.
            Some(Incoming::Text(text)) if dispatcher.is_authentication(&text) => {
                self.detached.authenticate(dispatcher, &text);
            }
            // Not refused: it has a limit of its own.
            Some(Incoming::Excess(message))
                if message.text.as_ref().is_some_and(|text| dispatcher.is_authentication(text)) =>
            {
                message.text.iter().for_each(|text| self.detached.authenticate(dispatcher, text));
            }
            // Not queued: it is about what is in front of it.
            Some(Incoming::Text(text)) if dispatcher.is_cancellation(&text) => {
                let mut reply = Reply::new();
                self.cancel(dispatcher, &text, &mut reply);
                self.detached.reply(dispatcher, &text, reply);
            }
            Some(frame) => self.read_ahead.push_back(frame.into_unshared()),
            None => return Err(ConnectionEnd::PeerGone),
        }
        Ok(())
    }

    /// Cancels what a message to `cancel` names, and writes the reply to it. A message that waits in the queue is taken out and
    /// answered with 499.
    pub(super) fn cancel(&mut self, dispatcher: &Dispatcher<C>, text: &FrameText, reply: &mut Reply) {
        let Some(target) = dispatcher.answer_cancellation(text, reply) else { return };
        self.detached.slots.cancel(&target);
        let mut index = 0;
        while let Some(frame) = self.read_ahead.get(index) {
            let Some(text) = frame.text().filter(|text| dispatcher.has_request_id(text, &target)) else {
                index += 1;
                continue;
            };
            let mut reply = Reply::new();
            dispatcher.refuse(text, &Error::cancelled(), &mut reply, false);
            self.detached.reply(dispatcher, text, reply);
            self.read_ahead.remove(index);
        }
    }

    /// Processes the detached tasks: ends the event holds of a task that has failed, or updates the expiry if the user was
    /// renewed, or else sends one frame, which the transport must be able to take.
    pub(super) fn send_detached<T>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
    ) -> Result<(), ConnectionEnd>
    where
        T: Transport,
    {
        if let Some(count) = self.detached.recount_event_holds() {
            io.event_holds.set_detached(count);
            return Ok(());
        }
        if std::mem::take(&mut self.detached.has_renewed_user) {
            self.update_expiry(io, dispatcher);
            return Ok(());
        }
        self.detached.send_next(io)
    }

    /// Updates the expiry to that of the current user's credentials, or to the end of the time in which an anonymous client
    /// has to authenticate.
    pub(super) fn update_expiry<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>, dispatcher: &Dispatcher<C>) {
        let scope = dispatcher.session.scope();
        let expiry = match scope.as_ref().filter(|scope| scope.user().is_some()) {
            Some(scope) => scope.expiry().map(|expiry| (expiry, CloseReason::Expired)),
            None => self.anonymous_until.map(|until| (until, CloseReason::Unauthenticated)),
        };
        self.heartbeat.set_expiry(expiry.map(|(expiry, _)| expiry));
        io.set_expiry(expiry);
    }
}
