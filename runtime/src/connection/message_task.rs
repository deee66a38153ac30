//! Processes one message of the in-order queue: dispatches it, reauthorizes it if rights have changed, applies its side
//! effects, and sends its replies.

use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::BoxFuture;

use super::run::Connection;
use crate::consumer::Consumer;
use crate::context::SideEffects;
use crate::dispatch::{AuthorizedAt, Outcome, StreamStep};
use crate::message::Values;
use crate::transport::{ConnectionEnd, FrameText, Transport};

/// A message whose action has ended.
struct AuthorizedMessage<'t> {
    text: &'t str,
    authorized_at: AuthorizedAt,
    /// Whether it has a stream of replies.
    is_stream: bool,
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Processes one message.
    pub(super) async fn process_message(&mut self, text: &FrameText) -> Result<(), ConnectionEnd> {
        if self.dispatcher.session.pacer.is_held() {
            self.wait_until_paced().await?;
        }
        self.io.check_open()?;
        if self.event_loop.detached.is_authenticating {
            self.wait_until_authenticated(text).await?;
        }
        let outcome = self.dispatch(text).await?;
        // The fast path: the reply is all that the message causes, and it can be sent at once.
        if let Outcome::Completed { has_reply, evaluation_epoch, side_effects: None } = outcome
            && !self.reply.is_stream()
            && (!has_reply || self.io.is_writable()?)
            && AuthorizedAt::at_epoch(evaluation_epoch).is_current(&self.dispatcher)
        {
            return if has_reply { self.io.start_send(self.reply.text()) } else { Ok(()) };
        }
        self.finish_message(text, outcome).await
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
                    (has_reply, AuthorizedAt::at_epoch(evaluation_epoch), side_effects)
                }
                Outcome::Detach | Outcome::SessionEnded => return Ok(()),
                Outcome::Refused | Outcome::Authenticated { .. } => {
                    if let Outcome::Authenticated { is_renewed: true } = outcome {
                        self.event_loop.update_expiry(&mut self.io, &self.dispatcher);
                    }
                    return self.io.feed(self.reply.text()).await;
                }
            };
            authorized_at.ignore_own_epochs(side_effects.as_deref().and_then(SideEffects::own_epochs));
            let side_effects = side_effects.filter(|effects| !effects.is_empty());
            let mut authorized = AuthorizedMessage { text, authorized_at, is_stream: false };
            match (self.reply.take_values(), side_effects) {
                (Some(values), effects) => self.stream_replies(authorized, values, effects.unwrap_or_default()).await,
                (None, Some(effects)) => self.commit_effects(authorized, has_reply, effects).await,
                (None, None) if has_reply => self.send_reply(&mut authorized).await.map(drop),
                (None, None) => {
                    if !authorized.authorized_at.is_current(&self.dispatcher) {
                        self.reauthorize(&mut authorized).await?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// Sends the reply of an action and returns `true`, or sends the refusal if the action is no longer authorized.
    async fn send_reply(&mut self, authorized: &mut AuthorizedMessage<'_>) -> Result<bool, ConnectionEnd> {
        loop {
            // Checked when the transport can take the reply, so that changes while the client does not read count too.
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

    /// Reauthorizes an action. Returns `false` and sends the refusal if it is no longer authorized.
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

    /// Sends the reply and applies the side effects around it: no event of a group that the action left follows the reply,
    /// and no event of a group that it joined or of its publications precedes it.
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
        // Before the reply is sent, so that a client that does not read it delays no other session. The client's own copies
        // come after `sequence`.
        let undo = side_effects.run_after();
        self.io.deliver_before(sequence?).await?;
        // Events of groups that the action joined follow the reply.
        self.io.is_holding_events = true;
        let is_sent = !has_reply || self.send_reply(&mut authorized).await?;
        self.io.is_holding_events = false;
        if !is_sent {
            self.dispatcher.session.undo(undo);
        }
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

    /// Dispatches the message of a detached action that exceeds the limit of detached actions.
    async fn dispatch_in_order(&mut self, text: &FrameText) -> Result<Outcome, ConnectionEnd> {
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        let detached_dispatcher = dispatcher.allow_detached();
        event_loop.drive_until(io, dispatcher, pin!(detached_dispatcher.dispatch(text, reply))).await
    }

    /// Sends a stream of replies, each as soon as it is written.
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
            // A stream that is always ready must not starve other tasks or the other events of this connection.
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
