//! Processes one message of the in-order queue: dispatches it and completes it.

use std::future::pending;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::BoxFuture;
use tokio::task::yield_now;

use super::completion::{Completion, CompletionStep};
use super::run::Connection;
use super::slots::Cancellable;
use crate::consumer::Consumer;
use crate::dispatch::{Admission, AuthorizedAt, Dispatcher, Outcome, SlotNeed};
use crate::transport::{ConnectionEnd, ExcessMessage, FrameText, Incoming, Transport};

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Processes one message.
    pub(super) async fn process_message(&mut self, text: &FrameText) -> Result<(), ConnectionEnd> {
        if self.dispatcher.session.pacer.is_held()
            && let Err(end) = self.wait_until_paced().await
        {
            return self.postpone(text, end);
        }
        self.io.check_open()?;
        if self.event_loop.detached.is_authenticating
            && let Err(end) = self.wait_until_authenticated(text).await
        {
            return self.postpone(text, end);
        }
        let outcome = self.dispatch(text).await?;
        // The fast path: the reply is all that the message causes, and it can be sent at once.
        if let Outcome::Completed { has_reply, evaluation_epoch, side_effects: None, .. } = outcome
            && !self.reply.is_stream()
            && !self.dispatcher.is_cancelled()
            && (!has_reply || self.io.is_writable()?)
            && AuthorizedAt::at_epoch(evaluation_epoch).is_current(&self.dispatcher)
        {
            return if has_reply { self.io.start_send(self.reply.text()) } else { Ok(()) };
        }
        self.finish_message(text, outcome).await
    }

    /// Processes a message above the limit of the connection: refuses it, unless it is one to `authenticate`, which has a limit
    /// of its own.
    #[cold]
    pub(super) fn process_excess(&mut self, message: ExcessMessage) -> BoxFuture<'_, Result<(), ConnectionEnd>> {
        Box::pin(async move {
            match &message.text {
                Some(text) if self.dispatcher.is_authentication(text) => self.process_message(text).await,
                _ => {
                    self.dispatcher.refuse_excess(&message, &mut self.reply);
                    self.io.feed(self.reply.text()).await
                }
            }
        })
    }

    /// Puts a message back that has not begun when the connection ends.
    #[cold]
    fn postpone(&mut self, text: &FrameText, end: ConnectionEnd) -> Result<(), ConnectionEnd> {
        self.event_loop.read_ahead.push_front(Incoming::Text(text.to_unshared()));
        Err(end)
    }

    /// Waits until no reader holds this connection. Its own events, pings and expiry are processed meanwhile.
    #[cold]
    fn wait_until_paced(&mut self) -> BoxFuture<'_, Result<(), ConnectionEnd>> {
        let Connection { io, dispatcher, event_loop, .. } = self;
        Box::pin(async move {
            // Reads nothing, so that the end of the stream is not noticed before the messages in front of it are dispatched.
            let max_read_ahead = std::mem::take(&mut event_loop.max_read_ahead);
            let result = event_loop.drive_until(io, dispatcher, pin!(dispatcher.session.pacer.ready())).await;
            event_loop.max_read_ahead = max_read_ahead;
            result
        })
    }

    /// Waits until no authentication is in progress, if the message calls `authenticate`.
    #[cold]
    fn wait_until_authenticated<'t>(&'t mut self, text: &'t FrameText) -> BoxFuture<'t, Result<(), ConnectionEnd>> {
        let Connection { io, dispatcher, event_loop, .. } = self;
        Box::pin(async move {
            if !dispatcher.is_authentication(text) {
                return Ok(());
            }
            event_loop.wait_until_authenticated(io, dispatcher).await
        })
    }

    /// Processes a message that is not on the fast path. Boxed and cold, so that the code for every message lies together.
    #[cold]
    fn finish_message<'t>(
        &'t mut self,
        text: &'t FrameText,
        outcome: Outcome,
    ) -> BoxFuture<'t, Result<(), ConnectionEnd>> {
        Box::pin(async move {
            if let Outcome::NeedsSlots(need) = outcome {
                return self.process_with_slots(text, need).await;
            }
            if let Outcome::Authenticated { is_renewed: true, .. } = outcome {
                self.event_loop.update_expiry(&mut self.io, &self.dispatcher);
            }
            if let Outcome::Cancel = outcome {
                self.event_loop.cancel(&self.dispatcher, text, &mut self.reply);
                return self.complete_or_end(text, Completion::written_reply()).await;
            }
            let completion = Completion::new(outcome, &mut self.reply, &self.dispatcher);
            if self.dispatcher.is_cancelled() {
                self.dispatcher.renew_cancellation();
            }
            self.complete_or_end(text, completion).await
        })
    }

    /// Processes a message whose action takes slots. A detached action runs in a task of its own. Any other one runs here, and
    /// only the values of its stream are detached, unless they are to be in order.
    async fn process_with_slots(&mut self, text: &FrameText, need: SlotNeed) -> Result<(), ConnectionEnd> {
        let mut dispatcher = self.dispatcher.with_admission(Admission::Admitted);
        dispatcher.renew_cancellation();
        // Before any check begins, so that a message to `cancel` finds it.
        let slots = &mut self.event_loop.detached.slots;
        let mut _recorded = None;
        let slot = match slots.take(need, Cancellable::new(&dispatcher, text)) {
            Ok(slot) => Some(slot),
            Err(kind) => {
                dispatcher = dispatcher.with_admission(Admission::Refused(kind));
                // Its checks run, and may wait.
                _recorded = Cancellable::new(&dispatcher, text).map(|cancellable| slots.record(cancellable));
                None
            }
        };
        let slot = match slot {
            Some(slot) if need.is_detached => {
                self.event_loop.detached.detach(dispatcher, text, slot);
                return Ok(());
            }
            slot => slot,
        };
        let outcome = self.dispatch_with(&dispatcher, text).await?;
        let completion = Completion::new(outcome, &mut self.reply, &dispatcher);
        match slot {
            Some(slot) if completion.is_awaiting_reply() && !need.is_in_order => {
                self.event_loop.detached.stream(dispatcher, text, completion, slot);
                Ok(())
            }
            // Held until the last reply is sent.
            _slot => self.complete_or_end(text, completion).await,
        }
    }

    /// Completes a message, without further replies if the connection ends.
    async fn complete_or_end(&mut self, text: &FrameText, mut completion: Completion) -> Result<(), ConnectionEnd> {
        let result = self.complete(text, &mut completion).await;
        if let Err(end) = result {
            // Others must not miss what the action has stored.
            self.io.end(end);
            completion.complete_without_reply(&self.dispatcher);
        }
        result
    }

    /// Completes a message. Other events are processed while it is reauthorized and while its stream is pending.
    async fn complete(&mut self, text: &FrameText, completion: &mut Completion) -> Result<(), ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        loop {
            completion.apply_cancellation(dispatcher, text, reply);
            match completion.next_step(io, dispatcher)? {
                CompletionStep::Write if io.is_writable()? => completion.write(io, reply)?,
                CompletionStep::Write => io.wait_until_writable().await?,
                CompletionStep::Hold => {
                    // The send timeout applies: a detached reply is not sent to a client that does not read.
                    io.wait_until_writable().await?;
                    event_loop.step(io, dispatcher, pin!(pending::<()>())).await?;
                }
                CompletionStep::Reauthorize => {
                    io.event_holds.set_held_in_order(completion.is_holding_events());
                    let reauthorization = completion.reauthorize(dispatcher, text, reply);
                    event_loop.drive_until(io, dispatcher, pin!(reauthorization)).await?;
                }
                CompletionStep::NextReply => {
                    if std::mem::replace(&mut event_loop.is_streaming, true) {
                        reply.shrink();
                        io.flush().await?;
                        // A stream that is always ready must not starve other tasks or the other events of this connection.
                        event_loop.drive_until(io, dispatcher, pin!(yield_now())).await?;
                    }
                    let next_reply = completion.next_reply(dispatcher, text, reply);
                    event_loop.drive_until(io, dispatcher, pin!(next_reply)).await?;
                }
                CompletionStep::Done => break,
            }
        }
        event_loop.is_streaming = false;
        io.event_holds.set_held_in_order(false);
        Ok(())
    }

    /// Dispatches a message. Other events are processed meanwhile only if its action is pending.
    async fn dispatch(&mut self, text: &FrameText) -> Result<Outcome, ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        let mut action = pin!(dispatcher.dispatch(text, reply));
        match futures_util::poll!(&mut action) {
            Poll::Ready(outcome) => Ok(outcome),
            Poll::Pending => event_loop.drive_message(io, dispatcher, text, action).await,
        }
    }

    /// Dispatches a message by a dispatcher that has decided about its slots.
    async fn dispatch_with(&mut self, admitted: &Dispatcher<C>, text: &FrameText) -> Result<Outcome, ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        event_loop.drive_body(io, dispatcher, pin!(admitted.dispatch(text, reply))).await
    }
}
