//! One message answered: its reply, or one after the other, among what its action has caused; and asked about once more where
//! what its caller may do has changed meanwhile.

use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::BoxFuture;

use super::run::{Connection, End, gone};
use crate::consumer::Consumer;
use crate::dispatch::{AuthorizedAt, Outcome, StreamStep};
use crate::message::{self, SideEffect, Values};
use crate::transport::{FrameText, Transport};

/// A message whose action has ended, and when it was last asked whether it may be called.
struct AuthorizedMessage<'t> {
    text: &'t str,
    asked: AuthorizedAt,
    /// Whether it has several replies.
    of_several: bool,
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Answers one message.
    pub(super) async fn text(&mut self, text: &FrameText) -> ControlFlow<End> {
        if self.answerer.seat.pacer.is_held() {
            self.until_paced().await?;
        }
        gone(self.outbox.goes_on())?;
        if self.aside.beside.authenticates {
            self.until_authenticated(text).await?;
        }
        let outcome = self.answered(text).await?;
        // As a rule a reply is all that comes of it, and can go out at once.
        if let Outcome::Ended { written, evaluation_epoch } = outcome
            && self.reply.is_all()
            && (!written || gone(self.outbox.has_room())?)
            && AuthorizedAt::from_epoch(evaluation_epoch).holds(&self.answerer)
        {
            return if written { gone(self.outbox.put(self.reply.text())) } else { ControlFlow::Continue(()) };
        }
        self.finish(text, outcome).await
    }

    /// Waits until no reader holds this connection. Its own events, pings and expiry are handled meanwhile.
    #[cold]
    fn until_paced(&mut self) -> BoxFuture<'_, ControlFlow<End>> {
        let Connection { outbox, answerer, aside, .. } = self;
        Box::pin(async move {
            // Reads nothing, so that the end of the stream is not noticed before the messages in front of it are dispatched.
            let most = std::mem::take(&mut aside.most);
            let paced = aside.until(outbox, answerer, pin!(answerer.seat.pacer.ready())).await;
            aside.most = most;
            paced
        })
    }

    /// Waits for credentials that are being looked at, where the message brings more of them.
    #[cold]
    fn until_authenticated<'t>(&'t mut self, text: &'t FrameText) -> BoxFuture<'t, ControlFlow<End>> {
        let Connection { outbox, answerer, aside, .. } = self;
        Box::pin(async move {
            if !answerer.authenticates(text) {
                return ControlFlow::Continue(());
            }
            aside.until_authenticated(outbox, answerer).await
        })
    }

    /// Does whatever else comes of a message. Boxed and apart, so that what is needed for every message lies together.
    #[cold]
    fn finish<'t>(&'t mut self, text: &'t FrameText, mut outcome: Outcome) -> BoxFuture<'t, ControlFlow<End>> {
        Box::pin(async move {
            if matches!(outcome, Outcome::Detach) {
                if self.aside.beside.running() < self.most_detached {
                    self.aside.beside.detach(self.answerer.beside(), text.clone());
                    return ControlFlow::Continue(());
                }
                outcome = self.answered_in_the_queue(text).await?;
            }
            let (written, mut asked) = match outcome {
                Outcome::Ended { written, evaluation_epoch } => (written, AuthorizedAt::from_epoch(evaluation_epoch)),
                Outcome::Detach | Outcome::Nothing => return ControlFlow::Continue(()),
                Outcome::Refused | Outcome::Authenticated { .. } => {
                    if let Outcome::Authenticated { renewed: true } = outcome {
                        self.aside.set_expiry(&mut self.outbox, &self.answerer);
                    }
                    return gone(self.outbox.feed(self.reply.text()).await);
                }
            };
            asked.own(self.reply.take_own_changes());
            let (values, effects) = (self.reply.take_values(), self.reply.take_effects());
            let mut allowed = AuthorizedMessage { text, asked, of_several: false };
            match values {
                Some(values) => self.stream(allowed, values, effects).await,
                None if !effects.is_empty() => self.caused(allowed, written, effects).await,
                None if written => self.send(&mut allowed).await.map_continue(drop),
                None => {
                    if !allowed.asked.holds(&self.answerer) {
                        self.is_still(&mut allowed).await?;
                    }
                    ControlFlow::Continue(())
                }
            }
        })
    }

    /// Sends the reply of an action, unless it may not be called any more: then that.
    async fn send(&mut self, allowed: &mut AuthorizedMessage<'_>) -> ControlFlow<End, bool> {
        loop {
            // Asked when there is room, so that what changes while a client reads nothing counts too.
            gone(self.outbox.room().await)?;
            if allowed.asked.holds(&self.answerer) {
                gone(self.outbox.put(self.reply.text()))?;
                return ControlFlow::Continue(true);
            }
            if !self.is_still(allowed).await? {
                return ControlFlow::Continue(false);
            }
        }
    }

    /// Whether an action may still be called. Where it may not, that is sent.
    async fn is_still(&mut self, allowed: &mut AuthorizedMessage<'_>) -> ControlFlow<End, bool> {
        let Connection { outbox, answerer, aside, reply, .. } = self;
        if aside.until(outbox, answerer, pin!(allowed.asked.again(answerer, allowed.text))).await? {
            return ControlFlow::Continue(true);
        }
        answerer.deny(allowed.text, reply, allowed.of_several);
        gone(outbox.feed(reply.text()).await)?;
        ControlFlow::Continue(false)
    }

    /// Sends the reply among what the action has caused: nothing of a group that it left follows, and what it joined and
    /// published comes after.
    async fn caused(
        &mut self,
        mut allowed: AuthorizedMessage<'_>,
        written: bool,
        effects: Vec<SideEffect>,
    ) -> ControlFlow<End> {
        if !allowed.asked.holds(&self.answerer) && !self.is_still(&mut allowed).await? {
            return ControlFlow::Continue(());
        }
        gone(self.outbox.goes_on())?;
        let rest = message::run_before_reply(effects);
        let place = self.outbox.place();
        // At once, so that a client who does not read its reply holds up nobody; its own copies wait behind that place.
        let undo = message::run_after_reply(rest);
        gone(self.outbox.deliver_before(gone(place)?).await)?;
        // What comes by what it has joined comes after.
        self.outbox.holding = true;
        let sent = !written || self.send(&mut allowed).await?;
        self.outbox.holding = false;
        if !sent {
            self.answerer.seat.undo(undo);
        }
        ControlFlow::Continue(())
    }

    /// Writes the reply to one message. Only where its action waits does anything else happen meanwhile.
    async fn answered(&mut self, text: &FrameText) -> ControlFlow<End, Outcome> {
        let Connection { outbox, answerer, reply, aside, .. } = self;
        let mut answering = pin!(answerer.text(text, reply));
        match futures_util::poll!(&mut answering) {
            Poll::Ready(outcome) => ControlFlow::Continue(outcome),
            Poll::Pending => aside.meanwhile(outbox, answerer, text, answering).await,
        }
    }

    /// The same for a detached action, where too many run beside the queue.
    async fn answered_in_the_queue(&mut self, text: &FrameText) -> ControlFlow<End, Outcome> {
        let Connection { outbox, answerer, reply, aside, .. } = self;
        let here = answerer.beside();
        aside.until(outbox, answerer, pin!(here.text(text, reply))).await
    }

    /// Answers one message with several replies, each sent at once.
    async fn stream(
        &mut self,
        mut allowed: AuthorizedMessage<'_>,
        mut values: Pin<Box<dyn Values>>,
        effects: Vec<SideEffect>,
    ) -> ControlFlow<End> {
        allowed.of_several = true;
        self.aside.streaming = true;
        let well = loop {
            let Connection { outbox, answerer, reply, aside, .. } = self;
            match aside.until(outbox, answerer, pin!(answerer.next(allowed.text, &mut values, reply))).await? {
                StreamStep::More => {}
                StreamStep::Last => break true,
                StreamStep::Failed => break false,
            }
            if !self.send(&mut allowed).await? {
                self.aside.streaming = false;
                return ControlFlow::Continue(());
            }
            self.reply.shrink();
            gone(self.outbox.flush().await)?;
            // A stream that is always ready must leave room for others, on this thread and on this socket.
            let Connection { outbox, answerer, aside, .. } = self;
            aside.until(outbox, answerer, pin!(tokio::task::yield_now())).await?;
        };
        self.aside.streaming = false;
        if well {
            return self.caused(allowed, true, effects).await;
        }
        self.send(&mut allowed).await?;
        ControlFlow::Continue(())
    }
}
