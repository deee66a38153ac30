//! What goes on beside an action: frames are read ahead, the clock goes on, and detached actions run.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use super::detached::DetachedTasks;
use super::heartbeat::{Heartbeat, HeartbeatEvent};
use super::io::{ConnectionIo, IoEvent, IoNeed};
use crate::consumer::Consumer;
use crate::dispatch::{Dispatcher, Outcome};
use crate::transport::{CloseCode, ConnectionEnd, FrameText, Incoming, Transport};

pub(super) struct EventLoop<C: Consumer> {
    pub(super) heartbeat: Heartbeat,
    /// What came in while an action was running.
    pub(super) read_ahead: VecDeque<Incoming>,
    pub(super) max_read_ahead: usize,
    /// Whether it is beside a stream, which need not end by itself.
    pub(super) is_streaming: bool,
    pub(super) detached: DetachedTasks<C>,
}

impl<C: Consumer> EventLoop<C> {
    /// Nothing comes after what cannot be read, so then it is not to be taken for the end.
    fn is_reading(&self) -> bool {
        let read_ahead = self.read_ahead.len() + self.detached.backlog();
        read_ahead < self.max_read_ahead && !matches!(self.read_ahead.back(), Some(Incoming::Broken(_)))
    }

    /// Goes on until the future is done.
    pub(super) async fn drive_until<T, F>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
        mut action: Pin<&mut F>,
    ) -> Result<F::Output, ConnectionEnd>
    where
        T: Transport,
        F: Future,
    {
        loop {
            if let Some(output) = self.step(io, dispatcher, action.as_mut()).await? {
                return Ok(output);
            }
        }
    }

    /// Goes on while the action of a message waits. Boxed, as an idle connection is as large as all that it may wait for, and
    /// an action that waits takes its time anyway.
    #[cold]
    pub(super) fn drive_message<'m, T: Transport, F: Future<Output = Outcome> + Send>(
        &'m mut self,
        io: &'m mut ConnectionIo<C, T>,
        dispatcher: &'m Dispatcher<C>,
        text: &'m FrameText,
        action: Pin<&'m mut F>,
    ) -> BoxFuture<'m, Result<Outcome, ConnectionEnd>> {
        // Others wait for credentials that are being looked at.
        self.detached.is_authenticating |= dispatcher.is_authentication(text);
        Box::pin(async move {
            let outcome = self.drive_until(io, dispatcher, action).await?;
            if let Outcome::Authenticated { .. } = outcome {
                self.detached.start_next_authentication();
            }
            Ok(outcome)
        })
    }

    /// Goes on until no credentials are being looked at.
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

    /// Does what comes next; gives what the future does, once it is done.
    async fn step<T, F>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
        mut action: Pin<&mut F>,
    ) -> Result<Option<F::Output>, ConnectionEnd>
    where
        T: Transport,
        F: Future,
    {
        let (is_reading, is_held_by_detached, is_held_in_order) =
            (self.is_reading(), self.detached.is_holding_events(), io.is_holding_events);
        let poll_detached = |cx: &mut Context<'_>| match self.detached.poll(cx) {
            // What it sends may come after what a reply of the queue is waited for by.
            Poll::Ready(IoNeed::Writable) if is_held_in_order => Poll::Pending,
            need => need,
        };
        tokio::select! {
            biased;
            output = &mut action => return Ok(Some(output)),
            next = io.next_event(is_reading, is_held_by_detached, poll_detached) => match next? {
                IoEvent::Frame(frame) => {
                    // Where nothing is sent nothing else may look at the clock.
                    io.check_open()?;
                    self.receive(dispatcher, frame)?;
                }
                IoEvent::Event => io.deliver_one()?,
                IoEvent::Detached => self.send_detached(io, dispatcher)?,
            },
            event = self.heartbeat.next_event() => match event {
                HeartbeatEvent::Ping => io.ping()?,
                // Nobody listens, or nobody has asked, so silence says nothing. An action ends; a stream may not.
                HeartbeatEvent::Idle if (!is_reading && !self.is_streaming) || io.has_caught_up() => self.heartbeat.record_activity(),
                HeartbeatEvent::Idle => return Err(ConnectionEnd::Close(CloseCode::Idle)),
                HeartbeatEvent::Expiry => return Err(ConnectionEnd::Close(CloseCode::Expired)),
            },
        }
        Ok(None)
    }

    fn receive(&mut self, dispatcher: &Dispatcher<C>, frame: Option<Incoming>) -> Result<(), ConnectionEnd> {
        self.heartbeat.record_activity();
        match frame {
            Some(Incoming::Ping) => {}
            Some(Incoming::Broken(code)) if self.is_streaming => return Err(ConnectionEnd::Close(code)),
            // Fresh credentials wait for nothing: what runs may take longer than the old ones are good for.
            Some(Incoming::Text(text)) if dispatcher.is_authentication(&text) => {
                self.detached.authenticate(dispatcher, text);
            }
            Some(frame) => self.read_ahead.push_back(frame),
            None => return Err(ConnectionEnd::PeerGone),
        }
        Ok(())
    }

    /// Looks at what runs beside: sends a frame of what it has answered, for which there is room.
    pub(super) fn send_detached<T>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
    ) -> Result<(), ConnectionEnd>
    where
        T: Transport,
    {
        if std::mem::take(&mut self.detached.has_renewed_user) {
            self.update_expiry(io, dispatcher);
            return Ok(());
        }
        self.detached.send_next(io)
    }

    /// Whoever sits there does so until then.
    pub(super) fn update_expiry<T>(&mut self, io: &mut ConnectionIo<C, T>, dispatcher: &Dispatcher<C>) {
        let expiry = dispatcher.session.scope().and_then(|scope| scope.expiry());
        self.heartbeat.set_expiry(expiry);
        io.expiry = expiry;
    }
}
