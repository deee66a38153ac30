//! One message answered: its reply, or one after the other, among what its action has caused; and asked about once more where
//! what its caller may do has changed meanwhile.

use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::BoxFuture;

use super::run::Connection;
use crate::consumer::Consumer;
use crate::context::SideEffects;
use crate::dispatch::{AuthorizedAt, Outcome, StreamStep};
use crate::message::Values;
use crate::transport::{ConnectionEnd, FrameText, Transport};

/// A message whose action has ended, and when it was last asked whether it may be called.
struct AuthorizedMessage<'t> {
    text: &'t str,
    authorized_at: AuthorizedAt,
    /// Whether it has several replies.
    is_stream: bool,
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Answers one message.
    pub(super) async fn process_message(&mut self, text: &FrameText) -> Result<(), ConnectionEnd> {
        if self.dispatcher.session.pacer.is_held() {
            self.wait_until_paced().await?;
        }
        self.io.check_open()?;
        if self.event_loop.detached.is_authenticating {
            self.wait_until_authenticated(text).await?;
        }
        let outcome = self.dispatch(text).await?;
        // As a rule a reply is all that comes of it, and can go out at once.
        if let Outcome::Completed { has_reply, evaluation_epoch, side_effects: None } = outcome
            && !self.reply.is_stream()
            && (!has_reply || self.io.is_writable()?)
            && AuthorizedAt::at_epoch(evaluation_epoch).is_current(&self.dispatcher)
        {
            return if has_reply { self.io.start_send(self.reply.text()) } else { Ok(()) };
        }
        self.finish_message(text, outcome).await
    }

    /// Waits until no reader holds this connection. Its own events, pings and expiry are handled meanwhile.
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

    /// Waits for credentials that are being looked at, where the message brings more of them.
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

    /// Does whatever else comes of a message. Boxed and apart, so that what is needed for every message lies together.
    #[cold]
    fn finish_message<'t>(
        &'t mut self,
        text: &'t FrameText,
        mut outcome: Outcome,
    ) -> BoxFuture<'t, Result<(), ConnectionEnd>> {
        Box::pin(async move {
            if matches!(outcome, Outcome::Detach) {
                if self.event_loop.detached.count() < self.max_detached_actions {
                    self.event_loop.detached.detach(self.dispatcher.allow_detached(), text.clone());
                    return Ok(());
                }
                outcome = self.dispatch_in_order(text).await?;
            }
            let (has_reply, mut authorized_at, side_effects) = match outcome {
                Outcome::Completed { has_reply, evaluation_epoch, side_effects } => {
                    (has_reply, AuthorizedAt::at_epoch(evaluation_epoch), side_effects.unwrap_or_default())
                }
                Outcome::Detach | Outcome::SessionEnded => return Ok(()),
                Outcome::Refused | Outcome::Authenticated { .. } => {
                    if let Outcome::Authenticated { is_renewed: true } = outcome {
                        self.event_loop.update_expiry(&mut self.io, &self.dispatcher);
                    }
                    return self.io.feed(self.reply.text()).await;
                }
            };
            authorized_at.ignore_own_epochs(side_effects.own_epochs());
            let mut authorized = AuthorizedMessage { text, authorized_at, is_stream: false };
            match self.reply.take_values() {
                Some(values) => self.stream_replies(authorized, values, side_effects).await,
                None if !side_effects.is_empty() => self.commit_effects(authorized, has_reply, side_effects).await,
                None if has_reply => self.send_reply(&mut authorized).await.map(drop),
                None => {
                    if !authorized.authorized_at.is_current(&self.dispatcher) {
                        self.reauthorize(&mut authorized).await?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// Sends the reply of an action, unless it may not be called any more: then that.
    async fn send_reply(&mut self, authorized: &mut AuthorizedMessage<'_>) -> Result<bool, ConnectionEnd> {
        loop {
            // Asked when there is room, so that what changes while a client reads nothing counts too.
            self.io.wait_until_writable().await?;
            if authorized.authorized_at.is_current(&self.dispatcher) {
                self.io.start_send(self.reply.text())?;
                return Ok(true);
            }
            if !self.reauthorize(authorized).await? {
                return Ok(false);
            }
        }
    }

    /// Whether an action may still be called. Where it may not, that is sent.
    async fn reauthorize(&mut self, authorized: &mut AuthorizedMessage<'_>) -> Result<bool, ConnectionEnd> {
        let Connection { io, dispatcher, event_loop, reply, .. } = self;
        if event_loop
            .drive_until(io, dispatcher, pin!(authorized.authorized_at.reauthorize(dispatcher, authorized.text)))
            .await?
        {
            return Ok(true);
        }
        dispatcher.refuse_changed_rights(authorized.text, reply, authorized.is_stream);
        io.feed(reply.text()).await?;
        Ok(false)
    }

    /// Sends the reply among what the action has caused: nothing of a group that it left follows, and what it joined and
    /// published comes after.
    async fn commit_effects(
        &mut self,
        mut authorized: AuthorizedMessage<'_>,
        has_reply: bool,
        mut side_effects: Box<SideEffects>,
    ) -> Result<(), ConnectionEnd> {
        if !authorized.authorized_at.is_current(&self.dispatcher) && !self.reauthorize(&mut authorized).await? {
            return Ok(());
        }
        self.io.check_open()?;
        side_effects.run_before();
        let sequence = self.io.next_sequence();
        // At once, so that a client who does not read its reply holds up nobody; its own copies wait behind that place.
        let undo = side_effects.run_after();
        self.io.deliver_before(sequence?).await?;
        // What comes by what it has joined comes after.
        self.io.is_holding_events = true;
        let is_sent = !has_reply || self.send_reply(&mut authorized).await?;
        self.io.is_holding_events = false;
        if !is_sent {
            self.dispatcher.session.undo(undo);
        }
        Ok(())
    }

    /// Writes the reply to one message. Only where its action waits does anything else happen meanwhile.
    async fn dispatch(&mut self, text: &FrameText) -> Result<Outcome, ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        let mut action = pin!(dispatcher.dispatch(text, reply));
        match futures_util::poll!(&mut action) {
            Poll::Ready(outcome) => Ok(outcome),
            Poll::Pending => event_loop.drive_message(io, dispatcher, text, action).await,
        }
    }

    /// The same for a detached action, where too many run beside the queue.
    async fn dispatch_in_order(&mut self, text: &FrameText) -> Result<Outcome, ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        let detached_dispatcher = dispatcher.allow_detached();
        event_loop.drive_until(io, dispatcher, pin!(detached_dispatcher.dispatch(text, reply))).await
    }

    /// Answers one message with several replies, each sent at once.
    async fn stream_replies(
        &mut self,
        mut authorized: AuthorizedMessage<'_>,
        mut values: Pin<Box<dyn Values>>,
        side_effects: Box<SideEffects>,
    ) -> Result<(), ConnectionEnd> {
        authorized.is_stream = true;
        self.event_loop.is_streaming = true;
        let has_succeeded = loop {
            let Connection { io, dispatcher, reply, event_loop, .. } = self;
            match event_loop
                .drive_until(io, dispatcher, pin!(dispatcher.next_value(authorized.text, &mut values, reply)))
                .await?
            {
                StreamStep::More => {}
                StreamStep::Last => break true,
                StreamStep::Failed => break false,
            }
            if !self.send_reply(&mut authorized).await? {
                self.event_loop.is_streaming = false;
                return Ok(());
            }
            self.reply.shrink();
            self.io.flush().await?;
            // A stream that is always ready must leave room for others, on this thread and on this socket.
            let Connection { io, dispatcher, event_loop, .. } = self;
            event_loop.drive_until(io, dispatcher, pin!(tokio::task::yield_now())).await?;
        };
        self.event_loop.is_streaming = false;
        if has_succeeded {
            return self.commit_effects(authorized, true, side_effects).await;
        }
        self.send_reply(&mut authorized).await?;
        Ok(())
    }
}
