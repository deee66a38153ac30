//! The completion of a message whose action has ended: side effects and replies. Messages of the in-order queue and detached
//! ones complete by the same steps; they differ in what waits for a step.

use tokio_util::sync::CancellationToken;

use super::io::ConnectionIo;
use crate::consumer::Consumer;
use crate::context::{CloseRequest, SideEffects, Undo};
use crate::dispatch::{AuthorizedAt, Dispatcher, Outcome, StreamStep};
use crate::error::Error;
use crate::message::{Reply, ReplyStream};
use crate::panic::drop_contained;
use crate::sync::cancelled;
use crate::transport::{ConnectionEnd, Transport};

/// What is left to do for a message whose action has ended.
pub(super) struct Completion {
    /// When the action was last authorized. `None` if its reply is sent without reauthorization, because no action has
    /// completed or because it has been refused since.
    authorized_at: Option<AuthorizedAt>,
    /// Whether the action has started.
    has_started: bool,
    /// Whether a reply is written that is not sent yet.
    has_reply: bool,
    /// What the action does besides replying. Takes effect around its reply, or around the first one of its stream.
    side_effects: Option<Box<SideEffects>>,
    /// The rest of the stream of replies.
    stream: Option<ReplyStream>,
    /// Whether the replies are those of a stream.
    is_stream: bool,
    /// Set while the side effects have taken effect and that reply is not sent.
    commit: Option<Commit>,
    /// The request to close the connection when nothing else is left to do. Set when the side effects take effect.
    close: Option<CloseRequest>,
    /// Cancelled by a message to `cancel` until the last reply is sent. `None` if the message cannot be cancelled.
    cancellation: Option<CancellationToken>,
}

/// Side effects that have taken effect.
struct Commit {
    /// The sequence number of the reply among the events of the connection.
    sequence: u64,
    /// What reverts the joins if the reply is refused.
    undos: Vec<Undo>,
}

/// The next step of a completion.
pub(super) enum CompletionStep {
    /// Rights have changed: [`Completion::reauthorize`].
    Reauthorize,
    /// [`Completion::next_reply`].
    NextReply,
    /// Side effects are to take effect, but events wait for another reply. The next step is determined anew once it is
    /// written: otherwise those events would precede it.
    Hold,
    /// [`Completion::write`], at once if the transport can take a frame; otherwise the next step is determined anew.
    Write,
    /// Nothing is left to do.
    Done,
}

impl Completion {
    /// Creates the completion of a message whose action has run. Takes the stream of replies that the action has set.
    pub(super) fn new<C: Consumer>(outcome: Outcome, reply: &mut Reply, dispatcher: &Dispatcher<C>) -> Completion {
        let mut completion = Completion::written_reply();
        match outcome {
            Outcome::Completed { has_reply, has_started, evaluation_epoch, mut side_effects } => {
                let authorized_at = completion.authorized_at.insert(AuthorizedAt::at_epoch(evaluation_epoch));
                if let Some(side_effects) = &mut side_effects {
                    authorized_at.take_evaluation(side_effects);
                }
                completion.side_effects = side_effects.filter(|effects| !effects.is_empty());
                completion.stream = reply.take_stream();
                completion.is_stream = completion.stream.is_some();
                completion.has_started = has_started;
                completion.has_reply = has_reply && !completion.is_stream;
                completion.cancellation.clone_from(&dispatcher.cancellation);
            }
            Outcome::Authenticated { side_effects, .. } => completion.side_effects = side_effects,
            Outcome::Refused => completion.cancellation.clone_from(&dispatcher.cancellation),
            Outcome::NeedsSlots(_) | Outcome::Cancel | Outcome::SessionEnded => completion.has_reply = false,
        }
        completion.close_start_gate(dispatcher);
        completion
    }

    /// Creates the completion of a message whose reply is written and causes nothing else.
    pub(super) fn written_reply() -> Completion {
        Completion {
            authorized_at: None,
            has_started: false,
            has_reply: true,
            side_effects: None,
            stream: None,
            is_stream: false,
            commit: None,
            close: None,
            cancellation: None,
        }
    }

    /// Refuses the message with 499 if it was cancelled and its last reply is not sent. Called before each step.
    pub(super) fn apply_cancellation<C: Consumer>(
        &mut self,
        dispatcher: &Dispatcher<C>,
        text: &str,
        reply: &mut Reply,
    ) {
        // Once side effects have taken effect, the reply that waits says so.
        if self.commit.is_some() {
            return;
        }
        if self.cancellation.take_if(|cancellation| cancellation.is_cancelled()).is_some() {
            self.refuse(dispatcher, text, reply, &Error::cancelled());
        }
    }

    /// Replaces what is not sent yet by an error, as the last reply. Joins are undone. What the action has published goes out,
    /// because others must not miss a change that it has stored.
    fn refuse<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str, reply: &mut Reply, error: &Error) {
        dispatcher.refuse(text, error, reply, self.is_stream);
        if let Some(stream) = &mut self.stream {
            stream.record_status(error.status());
        }
        drop_contained(self.stream.take());
        (self.authorized_at, self.has_reply) = (None, true);
        if let Some(side_effects) = &mut self.side_effects {
            side_effects.retain_publications();
        }
        self.close_start_gate(dispatcher);
        if let Some(commit) = &mut self.commit {
            dispatcher.session.undo(std::mem::take(&mut commit.undos));
        }
    }

    /// Closes the start gate if the action has closed the connection and its stream has ended: nothing more begins while the
    /// reply waits for a client that does not read.
    fn close_start_gate<C: Consumer>(&self, dispatcher: &Dispatcher<C>) {
        let is_closing = self.close.is_some() || self.side_effects.as_ref().is_some_and(|effects| effects.is_closing());
        if self.stream.is_none() && is_closing {
            let start_gate = dispatcher.session.send_queue.start_gate();
            start_gate.close();
            start_gate.drain();
        }
    }

    /// Returns whether [`next_reply`](Completion::next_reply) is to write a reply of a stream.
    pub(super) fn is_awaiting_reply(&self) -> bool {
        self.stream.is_some() && !self.has_reply
    }

    /// Returns whether events that follow the reply must wait: those of groups that the action joined, and of its
    /// publications.
    pub(super) fn is_holding_events(&self) -> bool {
        self.commit.is_some() && self.has_reply
    }

    /// Returns the next step. Side effects take effect here, before the first reply is sent, so that a client that does not
    /// read delays no other session: no event of a group that the action left follows the reply, and no event of a group
    /// that it joined or of its publications precedes it.
    ///
    /// # Errors
    ///
    /// How the connection ends, even if the action has closed it and nothing is left to do.
    pub(super) fn next_step<C: Consumer, T: Transport>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
    ) -> Result<CompletionStep, ConnectionEnd> {
        if self.is_awaiting_reply() {
            return Ok(CompletionStep::NextReply);
        }
        if self.authorized_at.as_mut().is_some_and(|authorized_at| !authorized_at.is_current(dispatcher)) {
            return Ok(CompletionStep::Reauthorize);
        }
        if self.side_effects.is_some() && io.event_holds.is_holding() {
            return Ok(CompletionStep::Hold);
        }
        if self.side_effects.is_some() {
            // Before the side effects are taken: if the connection is to end, its publications go out without a reply.
            io.check_open()?;
        }
        if let Some(mut side_effects) = self.side_effects.take() {
            self.close = side_effects.take_close();
            side_effects.run_before();
            let sequence = io.next_sequence();
            let undos = side_effects.run_after();
            self.commit = Some(Commit { sequence: sequence?, undos });
        }
        let is_done = !self.has_reply && self.commit.is_none() && self.stream.is_none();
        if is_done && let Some(request) = self.close.take() {
            return Err(io.close(request));
        }
        Ok(if is_done { CompletionStep::Done } else { CompletionStep::Write })
    }

    /// Writes one frame, which the transport must be able to take: an event that precedes the reply, or the reply.
    pub(super) fn write<C: Consumer, T: Transport>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        reply: &Reply,
    ) -> Result<(), ConnectionEnd> {
        if let Some(commit) = &self.commit
            && io.deliver_next(commit.sequence)?.has_sent
        {
            return Ok(());
        }
        if std::mem::take(&mut self.has_reply) {
            io.start_send(reply.text())?;
        }
        self.commit = None;
        if self.stream.is_none() {
            // A change of rights after the last reply must not cause another one.
            self.authorized_at = None;
            self.cancellation = None;
        }
        Ok(())
    }

    /// Completes a message after the connection has ended: what the action has published goes out, its joins have no effect,
    /// its stream ends, and no reply is sent. If it has closed the connection, nothing more begins.
    pub(super) fn complete_without_reply<C: Consumer>(mut self, dispatcher: &Dispatcher<C>) {
        drop_contained(self.stream.take());
        self.close_start_gate(dispatcher);
        if let Some(mut side_effects) = self.side_effects {
            side_effects.retain_publications();
            side_effects.run_after();
        }
    }

    /// Writes the next reply of a stream. If the first one is an error, the side effects are discarded.
    pub(super) async fn next_reply<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str, reply: &mut Reply) {
        let Some(stream) = &mut self.stream else { return };
        let cancellation = self.cancellation.clone();
        let step = tokio::select! {
            biased;
            // Before the next step, `apply_cancellation` ends the stream.
            () = cancelled(cancellation.as_ref()) => return,
            step = dispatcher.next_reply(text, stream, reply) => step,
        };
        match step {
            StreamStep::More => {}
            StreamStep::Last => self.stream = None,
            StreamStep::Failed => {
                self.stream = None;
                self.side_effects.take_if(|side_effects| {
                    side_effects.discard();
                    side_effects.is_empty()
                });
            }
        }
        self.has_reply = true;
        self.close_start_gate(dispatcher);
    }

    /// Reauthorizes the action. If it is no longer authorized, the last reply is a refusal: `rights_changed` if the action has
    /// started, `permission_denied` if it has not.
    pub(super) async fn reauthorize<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str, reply: &mut Reply) {
        let Some(authorized_at) = &mut self.authorized_at else { return };
        if authorized_at.reauthorize(dispatcher, text).await {
            return;
        }
        let error = if self.has_started { Error::rights_changed() } else { Error::denied() };
        self.refuse(dispatcher, text, reply, &error);
    }
}
