//! Detached tasks: actions outside of the in-order queue, each with its own replies. These are detached actions, and
//! re-authentication while another action runs.
//!
//! Each is a tokio task, so that it makes progress while the connection waits for a client that does not read. Its replies
//! are sent one frame at a time, when the transport can take a frame.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinSet;

use super::io::{ConnectionIo, IoNeed};
use crate::consumer::Consumer;
use crate::context::{SideEffects, Undo};
use crate::dispatch::{AuthorizedAt, Dispatcher, Outcome, StreamStep};
use crate::log::Cause;
use crate::message::{Reply, Values};
use crate::panic::drop_contained;
use crate::session::{PACER, Pacer};
use crate::transport::{ConnectionEnd, FrameText, Transport};

/// The detached tasks of one connection.
pub(super) struct DetachedTasks<C: Consumer> {
    /// Created when the first task is spawned, to keep an idle connection small.
    tasks: Option<JoinSet<Completion<C>>>,
    /// Completions that wait to be sent.
    completions: VecDeque<Completion<C>>,
    /// Whether an authentication is in progress, detached or in order. At most one is at a time.
    pub(super) is_authenticating: bool,
    /// Messages to `authenticate` that wait for the one in progress.
    queued_authentications: VecDeque<(Dispatcher<C>, FrameText)>,
    /// Whether the user was renewed since the expiry was last updated.
    pub(super) has_renewed_user: bool,
    /// The number of unsent replies until which events are held, because the actions have joined groups.
    event_holds: usize,
}

/// A reply of a detached task, with what it takes to send it and to write the next one.
pub(super) struct Completion<C: Consumer> {
    dispatcher: Dispatcher<C>,
    text: FrameText,
    /// When the action was last authorized. `None` if no action has completed, or if it has been refused since.
    authorized_at: Option<AuthorizedAt>,
    outcome: Outcome,
    reply: Reply,
    /// What the action does besides replying. Takes effect around its last reply.
    side_effects: Option<Box<SideEffects>>,
    /// The rest of the stream of replies.
    values: Option<Pin<Box<dyn Values>>>,
    /// Whether the reply is one of a stream.
    is_stream: bool,
    /// Whether the message calls `authenticate`.
    is_authentication: bool,
    /// Set once the side effects have taken effect: the sequence number of the reply among the events, and what reverts the
    /// joins if the reply is refused.
    commit: Option<(u64, Vec<Undo>)>,
    /// Whether events are held until the reply is sent.
    is_holding_events: bool,
}

impl<C: Consumer> DetachedTasks<C> {
    pub(super) fn new() -> DetachedTasks<C> {
        DetachedTasks {
            tasks: None,
            completions: VecDeque::new(),
            is_authenticating: false,
            queued_authentications: VecDeque::new(),
            has_renewed_user: false,
            event_holds: 0,
        }
    }

    /// Returns how many tasks run or wait for their reply to be sent.
    pub(super) fn count(&self) -> usize {
        self.tasks.as_ref().map_or(0, JoinSet::len) + self.completions.len()
    }

    /// Returns how many messages wait for an authentication to end and how many replies wait to be sent.
    pub(super) fn backlog(&self) -> usize {
        self.queued_authentications.len() + self.completions.len()
    }

    /// Spawns a task that dispatches a message.
    pub(super) fn detach(&mut self, dispatcher: Dispatcher<C>, text: FrameText) {
        self.spawn(dispatcher.session.pacer.clone(), run_action(dispatcher, text));
    }

    /// Dispatches a message to `authenticate` once all earlier ones have ended.
    pub(super) fn authenticate(&mut self, dispatcher: &Dispatcher<C>, text: FrameText) {
        self.queued_authentications.push_back((dispatcher.clone(), text));
        if !self.is_authenticating {
            self.start_next_authentication();
        }
    }

    /// Starts the next authentication that waits, after the previous one has ended.
    pub(super) fn start_next_authentication(&mut self) {
        let next = self.queued_authentications.pop_front();
        self.is_authenticating = next.is_some();
        if let Some((dispatcher, text)) = next {
            self.detach(dispatcher, text);
        }
    }

    /// Returns whether events are held until a reply is sent.
    pub(super) fn is_holding_events(&self) -> bool {
        self.event_holds > 0
    }

    /// Aborts all tasks, waits for their end, and discards their replies.
    pub(super) async fn shut_down(&mut self) {
        self.queued_authentications.clear();
        self.completions.clear();
        if let Some(tasks) = &mut self.tasks {
            tasks.abort_all();
            while let Some(result) = tasks.join_next().await {
                drop_contained(result);
            }
        }
    }

    fn spawn(&mut self, pacer: Arc<Pacer>, action: impl Future<Output = Completion<C>> + Send + 'static) {
        self.tasks.get_or_insert_default().spawn(PACER.scope(pacer, action));
    }

    /// Returns what it needs to continue: a transport that can take a frame if [`send_next`](DetachedTasks::send_next) has
    /// something to send, nothing if the user was renewed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<IoNeed> {
        while let Some(tasks) = &mut self.tasks {
            match ready_or_none(tasks.poll_join_next(cx)) {
                Some(Ok(completion)) => {
                    self.has_renewed_user |= matches!(completion.outcome, Outcome::Authenticated { is_renewed: true });
                    if completion.is_authentication {
                        self.start_next_authentication();
                    }
                    self.completions.push_back(completion);
                }
                Some(Err(error)) => {
                    tracing::error!(cause = ?Cause::new(&error), "detached task failed");
                    drop_contained(error);
                    self.event_holds =
                        self.completions.iter().filter(|completion| completion.is_holding_events).count();
                    if tasks.is_empty() && self.is_authenticating {
                        self.start_next_authentication();
                    }
                }
                None => break,
            }
        }
        match self.completions.is_empty() {
            _ if self.has_renewed_user => Poll::Ready(IoNeed::Nothing),
            true => Poll::Pending,
            false => Poll::Ready(IoNeed::Writable),
        }
    }

    /// Sends one frame, which the transport must be able to take: a reply, or an event that comes before it. If rights have
    /// changed, reauthorizes the action instead, in a task.
    pub(super) fn send_next<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>) -> Result<(), ConnectionEnd> {
        let Some(mut completion) = self.completions.pop_front() else { return Ok(()) };
        if completion.is_stale() {
            self.spawn(completion.dispatcher.session.pacer.clone(), reauthorize(completion));
            return Ok(());
        }
        if completion.values.is_none()
            && let Some(mut side_effects) = completion.side_effects.take_if(|effects| !effects.is_empty())
        {
            side_effects.run_before();
            let sequence = io.next_sequence();
            let undo = side_effects.run_after();
            completion.commit = Some((sequence?, undo));
            completion.is_holding_events = completion.has_reply();
            self.event_holds += usize::from(completion.is_holding_events);
        }
        if let Some((sequence, _)) = completion.commit
            && io.deliver_next(sequence)?.has_sent
        {
            self.completions.push_front(completion);
            return Ok(());
        }
        if completion.has_reply() {
            io.start_send(completion.reply.text())?;
        }
        self.event_holds =
            self.event_holds.saturating_sub(usize::from(std::mem::take(&mut completion.is_holding_events)));
        if completion.values.is_some() {
            self.spawn(completion.dispatcher.session.pacer.clone(), next_value(completion));
        }
        Ok(())
    }
}

fn ready_or_none<T>(poll: Poll<Option<T>>) -> Option<T> {
    match poll {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => None,
    }
}

impl<C: Consumer> Completion<C> {
    fn has_reply(&self) -> bool {
        !matches!(self.outcome, Outcome::Completed { has_reply: false, .. } | Outcome::Detach | Outcome::SessionEnded)
    }

    /// Returns whether the action must be reauthorized.
    fn is_stale(&mut self) -> bool {
        self.authorized_at.as_mut().is_some_and(|authorized_at| !authorized_at.is_current(&self.dispatcher))
    }
}

/// Dispatches a message. The completion has its first reply.
async fn run_action<C: Consumer>(dispatcher: Dispatcher<C>, text: FrameText) -> Completion<C> {
    let mut reply = Reply::new();
    let is_authentication = dispatcher.is_authentication(&text);
    let mut outcome = dispatcher.dispatch(&text, &mut reply).await;
    let (mut authorized_at, mut side_effects) = (None, None);
    if let Outcome::Completed { evaluation_epoch, side_effects: effects, .. } = &mut outcome {
        side_effects = effects.take();
        let at = authorized_at.insert(AuthorizedAt::at_epoch(*evaluation_epoch));
        at.ignore_own_epochs(side_effects.as_deref().and_then(SideEffects::own_epochs));
    }
    let values = reply.take_values();
    let is_stream = values.is_some();
    let (commit, is_holding_events) = (None, false);
    let completion = Completion {
        dispatcher,
        text,
        authorized_at,
        outcome,
        reply,
        side_effects,
        values,
        is_stream,
        is_authentication,
        commit,
        is_holding_events,
    };
    if is_stream { next_value(completion).await } else { completion }
}

/// Writes the next reply of a stream. If the stream fails, the side effects are discarded.
async fn next_value<C: Consumer>(mut completion: Completion<C>) -> Completion<C> {
    let Some(mut values) = completion.values.take() else { return completion };
    // A stream that is always ready must not starve other tasks.
    tokio::task::yield_now().await;
    match completion.dispatcher.next_value(&completion.text, &mut values, &mut completion.reply).await {
        StreamStep::More => completion.values = Some(values),
        StreamStep::Last => {}
        StreamStep::Failed => completion.side_effects = None,
    }
    completion
}

/// Reauthorizes the action. If it is no longer authorized, its joins are undone and the refusal is its last reply.
async fn reauthorize<C: Consumer>(mut completion: Completion<C>) -> Completion<C> {
    let Some(authorized_at) = &mut completion.authorized_at else { return completion };
    if !authorized_at.reauthorize(&completion.dispatcher, &completion.text).await {
        completion.authorized_at = None;
        completion.dispatcher.refuse_changed_rights(&completion.text, &mut completion.reply, completion.is_stream);
        completion.outcome = Outcome::Refused;
        (completion.values, completion.side_effects) = (None, None);
        if let Some((_, undo)) = completion.commit.take() {
            completion.dispatcher.session.undo(undo);
        }
    }
    completion
}
