//! Actions that run beside the queue, each with its own replies: detached ones, and fresh credentials.
//!
//! Each is a task of its own, so that none stands still while the connection waits for a client who does not read. What it
//! answers is sent piece by piece, whenever there is room.

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

/// What runs beside the queue.
pub(super) struct DetachedTasks<C: Consumer> {
    /// Made when it is first needed, as an idle connection should be small.
    tasks: Option<JoinSet<Completion<C>>>,
    /// What is to be sent.
    completions: VecDeque<Completion<C>>,
    /// Whether credentials are being looked at: only one at a time.
    pub(super) is_authenticating: bool,
    /// Credentials that wait for that.
    queued_authentications: VecDeque<(Dispatcher<C>, FrameText)>,
    /// Whether somebody else sits there since that was asked for last.
    pub(super) has_renewed_user: bool,
    /// How many replies are still to go out for which events wait: those that come by what their actions have joined.
    event_holds: usize,
}

/// A reply that such an action has given.
pub(super) struct Completion<C: Consumer> {
    dispatcher: Dispatcher<C>,
    text: FrameText,
    /// When its action was last authorized, if it has run.
    authorized_at: Option<AuthorizedAt>,
    outcome: Outcome,
    reply: Reply,
    /// What its action does once the reply goes out.
    side_effects: Option<Box<SideEffects>>,
    /// What it goes on to answer.
    values: Option<Pin<Box<dyn Values>>>,
    /// Whether it is one of several.
    is_stream: bool,
    /// Whether it brought credentials.
    is_authentication: bool,
    /// Once it has taken effect: the events before that place come before the reply, and what is undone where there is none.
    commit: Option<(u64, Vec<Undo>)>,
    /// Whether events wait for it.
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

    /// How many run, or wait to be sent.
    pub(super) fn count(&self) -> usize {
        self.tasks.as_ref().map_or(0, JoinSet::len) + self.completions.len()
    }

    /// How much waits: credentials to be looked at, and replies to be sent.
    pub(super) fn backlog(&self) -> usize {
        self.queued_authentications.len() + self.completions.len()
    }

    pub(super) fn detach(&mut self, dispatcher: Dispatcher<C>, text: FrameText) {
        self.spawn(dispatcher.session.pacer.clone(), run_action(dispatcher, text));
    }

    /// Has credentials looked at, once those are done that came before.
    pub(super) fn authenticate(&mut self, dispatcher: &Dispatcher<C>, text: FrameText) {
        self.queued_authentications.push_back((dispatcher.clone(), text));
        if !self.is_authenticating {
            self.start_next_authentication();
        }
    }

    /// One attempt is done: the next begins.
    pub(super) fn start_next_authentication(&mut self) {
        let next = self.queued_authentications.pop_front();
        self.is_authenticating = next.is_some();
        if let Some((dispatcher, text)) = next {
            self.detach(dispatcher, text);
        }
    }

    /// Whether events wait for a reply.
    pub(super) fn is_holding_events(&self) -> bool {
        self.event_holds > 0
    }

    /// Ends all of it.
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

    /// Whether something is there to be sent, by [`send`](Beside::send); or, without need of room, somebody else sits there.
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

    /// Sends one frame, for which there is room: a reply, or an event that comes before it. What its caller may do is asked
    /// again first, where that has changed.
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

    /// Whether something has changed since it was asked whether its action may be called.
    fn is_stale(&mut self) -> bool {
        self.authorized_at.as_mut().is_some_and(|authorized_at| !authorized_at.is_current(&self.dispatcher))
    }
}

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

/// The next of several replies. What the action causes comes with the last.
async fn next_value<C: Consumer>(mut completion: Completion<C>) -> Completion<C> {
    let Some(mut values) = completion.values.take() else { return completion };
    // One that is always ready leaves room for others.
    tokio::task::yield_now().await;
    match completion.dispatcher.next_value(&completion.text, &mut values, &mut completion.reply).await {
        StreamStep::More => completion.values = Some(values),
        StreamStep::Last => {}
        StreamStep::Failed => completion.side_effects = None,
    }
    completion
}

/// Asks whether its action may still be called; else it answers that, and nothing more.
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
