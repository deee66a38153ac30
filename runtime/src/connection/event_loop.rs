//! What goes on beside an action: frames are read ahead, the clock goes on, and detached actions run.

use std::collections::VecDeque;
use std::future::pending;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use super::detached::DetachedTasks;
use super::heartbeat::{Heartbeat, HeartbeatEvent};
use super::io::{ConnectionIo, IoNeed, Lost, Next};
use super::run::{End, gone};
use crate::consumer::Consumer;
use crate::dispatch::{Dispatcher, Outcome};
use crate::transport::{CloseCode, FrameText, Incoming, Transport};

pub(super) struct EventLoop<C: Consumer> {
    pub(super) heartbeat: Heartbeat,
    /// What came in while an action was running.
    pub(super) ahead: VecDeque<Incoming>,
    pub(super) most: usize,
    /// Whether it is beside a stream, which need not end by itself.
    pub(super) streaming: bool,
    pub(super) beside: DetachedTasks<C>,
}

impl<C: Consumer> EventLoop<C> {
    /// Nothing comes after what cannot be read, so then it is not to be taken for the end.
    fn reading(&self) -> bool {
        let ahead = self.ahead.len() + self.beside.waiting();
        ahead < self.most && !matches!(self.ahead.back(), Some(Incoming::Broken(_)))
    }

    /// Goes on until the future is done.
    pub(super) async fn until<T, F>(
        &mut self,
        outbox: &mut ConnectionIo<C, T>,
        answerer: &Dispatcher<C>,
        mut answering: Pin<&mut F>,
    ) -> ControlFlow<End, F::Output>
    where
        T: Transport,
        F: Future,
    {
        loop {
            if let Some(output) = self.step(outbox, answerer, answering.as_mut()).await? {
                return ControlFlow::Continue(output);
            }
        }
    }

    /// Goes on while the action of a message waits. Boxed, as an idle connection is as large as all that it may wait for, and
    /// an action that waits takes its time anyway.
    #[cold]
    pub(super) fn meanwhile<'m, T: Transport, F: Future<Output = Outcome> + Send>(
        &'m mut self,
        outbox: &'m mut ConnectionIo<C, T>,
        answerer: &'m Dispatcher<C>,
        text: &'m FrameText,
        answering: Pin<&'m mut F>,
    ) -> BoxFuture<'m, ControlFlow<End, Outcome>> {
        // Others wait for credentials that are being looked at.
        self.beside.authenticates |= answerer.authenticates(text);
        Box::pin(async move {
            let outcome = self.until(outbox, answerer, answering).await?;
            if let Outcome::Authenticated { .. } = outcome {
                self.beside.next_attempt();
            }
            ControlFlow::Continue(outcome)
        })
    }

    /// Goes on until no credentials are being looked at.
    pub(super) async fn until_authenticated<T>(
        &mut self,
        outbox: &mut ConnectionIo<C, T>,
        answerer: &Dispatcher<C>,
    ) -> ControlFlow<End>
    where
        T: Transport,
    {
        while self.beside.authenticates {
            self.step(outbox, answerer, pin!(pending::<()>())).await?;
        }
        ControlFlow::Continue(())
    }

    /// Does what comes next; gives what the future does, once it is done.
    async fn step<T, F>(
        &mut self,
        outbox: &mut ConnectionIo<C, T>,
        answerer: &Dispatcher<C>,
        mut answering: Pin<&mut F>,
    ) -> ControlFlow<End, Option<F::Output>>
    where
        T: Transport,
        F: Future,
    {
        let (reading, holds, holding) = (self.reading(), self.beside.holds(), outbox.holding);
        let beside = |cx: &mut Context<'_>| match self.beside.poll(cx) {
            // What it sends may come after what a reply of the queue is waited for by.
            Poll::Ready(IoNeed::Room) if holding => Poll::Pending,
            wants => wants,
        };
        tokio::select! {
            biased;
            output = &mut answering => return ControlFlow::Continue(Some(output)),
            next = outbox.next(reading, holds, beside) => match gone(next)? {
                Next::Frame(frame) => {
                    // Where nothing is sent nothing else may look at the clock.
                    gone(outbox.goes_on())?;
                    self.came(answerer, frame)?;
                }
                Next::Event => gone(outbox.deliver_one())?,
                Next::DetachedTasks => self.send(outbox, answerer)?,
            },
            beat = self.heartbeat.beat() => match beat {
                HeartbeatEvent::Ping => gone(outbox.ping().map_err(Lost::from))?,
                // Nobody listens, or nobody has asked, so silence says nothing. An action ends; a stream may not.
                HeartbeatEvent::GiveUp if (!reading && !self.streaming) || outbox.caught_up() => self.heartbeat.heard(),
                HeartbeatEvent::GiveUp => return ControlFlow::Break(End::Close(CloseCode::Idle)),
                HeartbeatEvent::Expire => return ControlFlow::Break(End::Close(CloseCode::Expired)),
            },
        }
        ControlFlow::Continue(None)
    }

    fn came(&mut self, answerer: &Dispatcher<C>, frame: Option<Incoming>) -> ControlFlow<End> {
        self.heartbeat.heard();
        match frame {
            Some(Incoming::Ping) => {}
            Some(Incoming::Broken(code)) if self.streaming => return ControlFlow::Break(End::Close(code)),
            // Fresh credentials wait for nothing: what runs may take longer than the old ones are good for.
            Some(Incoming::Text(text)) if answerer.authenticates(&text) => self.beside.authenticate(answerer, text),
            Some(frame) => self.ahead.push_back(frame),
            None => return ControlFlow::Break(End::Gone),
        }
        ControlFlow::Continue(())
    }

    /// Looks at what runs beside: sends a frame of what it has answered, for which there is room.
    pub(super) fn send<T>(&mut self, outbox: &mut ConnectionIo<C, T>, answerer: &Dispatcher<C>) -> ControlFlow<End>
    where
        T: Transport,
    {
        if std::mem::take(&mut self.beside.renewed) {
            self.set_expiry(outbox, answerer);
            return ControlFlow::Continue(());
        }
        gone(self.beside.send(outbox))
    }

    /// Whoever sits there does so until then.
    pub(super) fn set_expiry<T>(&mut self, outbox: &mut ConnectionIo<C, T>, answerer: &Dispatcher<C>) {
        let expiry = answerer.seat.scope().and_then(|scope| scope.expiry());
        self.heartbeat.expire_at(expiry);
        outbox.expiry = expiry;
    }
}
