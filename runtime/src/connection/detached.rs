//! Detached tasks: what happens outside of the in-order queue, each with its own replies. These are detached actions, the
//! values of streams, and re-authentication while another action runs.
//!
//! Each is a tokio task, so that it makes progress while the connection waits for a client that does not read. Its replies
//! are sent one frame at a time, when the transport can take a frame.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinSet;

use super::completion::{Completion, CompletionStep};
use super::io::{ConnectionIo, IoNeed};
use super::slots::{Slot, Slots};
use crate::consumer::Consumer;
use crate::dispatch::{Dispatcher, Outcome};
use crate::log::Cause;
use crate::message::Reply;
use crate::observe::DetachedAction;
use crate::panic::{drop_contained, in_current_span, log_entry};
use crate::session::{PACER, Pacer};
use crate::transport::{ConnectionEnd, FrameText, Transport};

/// The detached tasks of one connection.
pub(super) struct DetachedTasks<C: Consumer> {
    /// Boxed, and created when the first task is spawned, to keep an idle connection small.
    tasks: Option<Box<JoinSet<DetachedMessage<C>>>>,
    pub(super) slots: Slots,
    /// Messages that wait for their next step.
    messages: VecDeque<DetachedMessage<C>>,
    /// The number of messages for which events are held that are being reauthorized. Until they are back, no other reply is
    /// sent, because those events could precede it.
    reauthorizing_holders: usize,
    /// Whether an authentication is in progress, detached or in order. At most one is at a time.
    pub(super) is_authenticating: bool,
    /// Messages to `authenticate` that wait for the one in progress.
    queued_authentications: VecDeque<(Dispatcher<C>, FrameText)>,
    /// Whether the user was renewed since the expiry was last updated.
    pub(super) has_renewed_user: bool,
    /// Whether a task has failed since the event holds were last counted. Such a task may have had one.
    has_lost_task: bool,
}

/// A detached message whose action has ended.
struct DetachedMessage<C: Consumer> {
    dispatcher: Dispatcher<C>,
    text: FrameText,
    reply: Reply,
    completion: Completion,
    /// `None` for a message to `authenticate`.
    _slot: Option<Arc<Slot>>,
    /// Counts the action until its slot is free again. `None` if it is not detached.
    _counted: Option<DetachedAction>,
    /// Whether the message calls `authenticate`.
    is_authentication: bool,
    /// Whether the user was renewed and [`DetachedTasks`] does not know yet.
    has_renewed_user: bool,
    /// Whether the message is counted in [`ConnectionIo::event_holds`].
    is_holding_events: bool,
}

impl<C: Consumer> DetachedTasks<C> {
    pub(super) fn new(slots: Slots) -> DetachedTasks<C> {
        DetachedTasks {
            tasks: None,
            slots,
            messages: VecDeque::new(),
            reauthorizing_holders: 0,
            is_authenticating: false,
            queued_authentications: VecDeque::new(),
            has_renewed_user: false,
            has_lost_task: false,
        }
    }

    /// Returns how many messages wait for an authentication to end or for their reply to be sent, and their size in bytes.
    pub(super) fn backlog(&self) -> (usize, usize) {
        let texts = self.queued_authentications.iter().map(|(_, text)| text);
        let texts = texts.chain(self.messages.iter().map(|message| &message.text));
        texts.fold((0, 0), |(count, bytes), text| (count + 1, bytes + text.len()))
    }

    /// Sends the values of a stream whose action has run in order.
    pub(super) fn stream(
        &mut self,
        dispatcher: Dispatcher<C>,
        text: &FrameText,
        completion: Completion,
        slot: Arc<Slot>,
    ) {
        let pacer = dispatcher.session.pacer.clone();
        let message = DetachedMessage::new(dispatcher, text.to_unshared(), Reply::new(), completion);
        self.spawn(pacer, next_reply(DetachedMessage { _slot: Some(slot), ..message }));
    }

    /// Sends a reply that is written.
    pub(super) fn reply(&mut self, dispatcher: &Dispatcher<C>, text: &FrameText, reply: Reply) {
        let (text, completion) = (text.to_unshared(), Completion::written_reply());
        self.messages.push_back(DetachedMessage::new(dispatcher.clone(), text, reply, completion));
    }

    /// Spawns a task that dispatches a message, which has taken a slot.
    pub(super) fn detach(&mut self, dispatcher: Dispatcher<C>, text: &FrameText, slot: Arc<Slot>) {
        self.spawn_action(dispatcher, text.to_unshared(), Some(slot));
    }

    fn spawn_action(&mut self, dispatcher: Dispatcher<C>, text: FrameText, slot: Option<Arc<Slot>>) {
        self.spawn(dispatcher.session.pacer.clone(), run_action(dispatcher, text, slot));
    }

    /// Dispatches a message to `authenticate` once all earlier ones have ended.
    pub(super) fn authenticate(&mut self, dispatcher: &Dispatcher<C>, text: &FrameText) {
        self.queued_authentications.push_back((dispatcher.clone(), text.to_unshared()));
        if !self.is_authenticating {
            self.start_next_authentication();
        }
    }

    /// Starts the next authentication that waits, after the previous one has ended.
    pub(super) fn start_next_authentication(&mut self) {
        let next = self.queued_authentications.pop_front();
        self.is_authenticating = next.is_some();
        if let Some((dispatcher, text)) = next {
            self.spawn_action(dispatcher, text, None);
        }
    }

    /// If a task has failed since the last call, returns how many of the remaining messages hold events.
    pub(super) fn recount_event_holds(&mut self) -> Option<usize> {
        let is_holding = |message: &&DetachedMessage<C>| message.is_holding_events;
        std::mem::take(&mut self.has_lost_task).then(|| self.messages.iter().filter(is_holding).count())
    }

    /// Frees what is not in use.
    pub(super) fn shrink(&mut self) {
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        if self.queued_authentications.is_empty() {
            self.queued_authentications = VecDeque::new();
        }
        self.tasks.take_if(|tasks| tasks.is_empty());
        self.slots.shrink();
    }

    /// Completes the messages whose actions have ended, after the connection has ended. Waits for the running ones.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for message in self.messages.drain(..) {
            message.completion.complete_without_reply(&message.dispatcher);
        }
        while let Some(tasks) = &mut self.tasks {
            match std::task::ready!(tasks.poll_join_next(cx)) {
                Some(Ok(message)) => message.completion.complete_without_reply(&message.dispatcher),
                Some(Err(error)) => {
                    log_entry!(ERROR, cause = ?Cause::new(&error), "detached task failed");
                    drop_contained(error);
                }
                None => break,
            }
        }
        Poll::Ready(())
    }

    /// Removes and returns the messages to `authenticate` that wait for the one in progress.
    pub(super) fn take_queued_authentications(&mut self) -> impl DoubleEndedIterator<Item = FrameText> + use<C> {
        std::mem::take(&mut self.queued_authentications).into_iter().map(|(_, text)| text)
    }

    /// Aborts all tasks, waits for their end, and discards their replies.
    pub(super) async fn shut_down(&mut self) {
        self.queued_authentications.clear();
        self.messages.clear();
        if let Some(tasks) = &mut self.tasks {
            tasks.abort_all();
            while let Some(result) = tasks.join_next().await {
                drop_contained(result);
            }
        }
    }

    fn spawn(&mut self, pacer: Arc<Pacer>, action: impl Future<Output = DetachedMessage<C>> + Send + 'static) {
        self.tasks.get_or_insert_default().spawn(in_current_span(PACER.scope(pacer, action)));
    }

    /// Returns what it needs to continue: a transport that can take a frame if [`send_next`](DetachedTasks::send_next) has
    /// something to send, nothing if the user was renewed or a task has failed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<IoNeed> {
        while let Some(tasks) = &mut self.tasks {
            match ready_or_none(tasks.poll_join_next(cx)) {
                Some(Ok(mut message)) => {
                    self.has_renewed_user |= std::mem::take(&mut message.has_renewed_user);
                    if std::mem::take(&mut message.is_authentication) {
                        self.start_next_authentication();
                    }
                    if message.is_holding_events {
                        self.reauthorizing_holders = self.reauthorizing_holders.saturating_sub(1);
                        self.messages.push_front(message);
                    } else {
                        self.messages.push_back(message);
                    }
                }
                Some(Err(error)) => {
                    (self.has_lost_task, self.reauthorizing_holders) = (true, 0);
                    if tasks.is_empty() && self.is_authenticating {
                        self.start_next_authentication();
                    }
                    log_entry!(ERROR, cause = ?Cause::new(&error), "detached task failed");
                    drop_contained(error);
                }
                None => break,
            }
        }
        match self.messages.is_empty() || self.reauthorizing_holders > 0 {
            _ if self.has_renewed_user || self.has_lost_task => Poll::Ready(IoNeed::Nothing),
            true => Poll::Pending,
            false => Poll::Ready(IoNeed::Writable),
        }
    }

    /// Processes the oldest message: sends one frame, which the transport must be able to take, or spawns a task for a step
    /// that takes longer.
    pub(super) fn send_next<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>) -> Result<(), ConnectionEnd> {
        let Some(mut message) = self.messages.pop_front() else { return Ok(()) };
        let step = match message.advance(io) {
            Ok(step) => step,
            Err(end) => {
                // What its action has published goes out after the end.
                self.messages.push_front(message);
                return Err(end);
            }
        };
        let is_holding = message.completion.is_holding_events();
        io.event_holds.update_detached(message.is_holding_events, is_holding);
        message.is_holding_events = is_holding;
        match step {
            CompletionStep::Write => self.messages.push_front(message),
            CompletionStep::Reauthorize => {
                self.reauthorizing_holders += usize::from(is_holding);
                self.spawn(message.dispatcher.session.pacer.clone(), reauthorize(message));
            }
            CompletionStep::Hold => self.messages.push_back(message),
            CompletionStep::NextReply => self.spawn(message.dispatcher.session.pacer.clone(), next_reply(message)),
            CompletionStep::Done => {}
        }
        Ok(())
    }
}

impl<C: Consumer> DetachedMessage<C> {
    /// Creates a message that has no slot and is not one to `authenticate`.
    fn new(dispatcher: Dispatcher<C>, text: FrameText, reply: Reply, completion: Completion) -> DetachedMessage<C> {
        DetachedMessage {
            dispatcher,
            text,
            reply,
            completion,
            _slot: None,
            _counted: None,
            is_authentication: false,
            has_renewed_user: false,
            is_holding_events: false,
        }
    }

    /// Sends one frame if the next step is to write. Returns the next step.
    fn advance<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>) -> Result<CompletionStep, ConnectionEnd> {
        self.completion.apply_cancellation(&self.dispatcher, &self.text, &mut self.reply);
        let step = self.completion.next_step(io, &self.dispatcher)?;
        if !matches!(step, CompletionStep::Write) {
            return Ok(step);
        }
        self.completion.write(io, &self.reply)?;
        self.completion.next_step(io, &self.dispatcher)
    }
}

fn ready_or_none<T>(poll: Poll<Option<T>>) -> Option<T> {
    match poll {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => None,
    }
}

/// Dispatches a message. If the replies are a stream, the first one is written.
async fn run_action<C: Consumer>(
    dispatcher: Dispatcher<C>,
    text: FrameText,
    slot: Option<Arc<Slot>>,
) -> DetachedMessage<C> {
    let mut reply = Reply::new();
    let is_authentication = dispatcher.is_authentication(&text);
    let counted = slot.is_some().then(|| dispatcher.session.registry.telemetry.begin_detached());
    let outcome = dispatcher.dispatch_until_closed(&text, &mut reply).await;
    let has_renewed_user = matches!(outcome, Outcome::Authenticated { is_renewed: true, .. });
    let completion = Completion::new(outcome, &mut reply, &dispatcher);
    let message = DetachedMessage::new(dispatcher, text, reply, completion);
    let message = DetachedMessage { _slot: slot, _counted: counted, is_authentication, has_renewed_user, ..message };
    if message.completion.is_awaiting_reply() { next_reply(message).await } else { message }
}

/// Writes the next reply of a stream. Stops if the connection ends.
async fn next_reply<C: Consumer>(mut message: DetachedMessage<C>) -> DetachedMessage<C> {
    // A stream that is always ready must not starve other tasks.
    tokio::task::yield_now().await;
    message.reply.shrink();
    let cancelled = message.dispatcher.session.send_queue.start_gate().cancelled();
    tokio::select! {
        biased;
        () = cancelled => {}
        () = message.completion.next_reply(&message.dispatcher, &message.text, &mut message.reply) => {}
    }
    message
}

/// Reauthorizes the action of a message. Stops if the connection ends, because no reply is sent then.
async fn reauthorize<C: Consumer>(mut message: DetachedMessage<C>) -> DetachedMessage<C> {
    let cancelled = message.dispatcher.session.send_queue.start_gate().cancelled();
    tokio::select! {
        biased;
        () = cancelled => {}
        () = message.completion.reauthorize(&message.dispatcher, &message.text, &mut message.reply) => {}
    }
    message
}
