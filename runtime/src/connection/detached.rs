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
    running: Option<JoinSet<Completion<C>>>,
    /// What is to be sent.
    completions: VecDeque<Completion<C>>,
    /// Whether credentials are being looked at: only one at a time.
    pub(super) is_authenticating: bool,
    /// Credentials that wait for that.
    queued_authentications: VecDeque<(Dispatcher<C>, FrameText)>,
    /// Whether somebody else sits there since that was asked for last.
    pub(super) has_new_user: bool,
    /// How many replies are still to go out for which events wait: those that come by what their actions have joined.
    held_replies: usize,
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
    authenticates: bool,
    /// Once it has taken effect: the events before that place come before the reply, and what is undone where there is none.
    committed: Option<(u64, Vec<Undo>)>,
    /// Whether events wait for it.
    holds_events: bool,
}

impl<C: Consumer> DetachedTasks<C> {
    pub(super) fn new() -> DetachedTasks<C> {
        DetachedTasks {
            running: None,
            completions: VecDeque::new(),
            is_authenticating: false,
            queued_authentications: VecDeque::new(),
            has_new_user: false,
            held_replies: 0,
        }
    }

    /// How many run, or wait to be sent.
    pub(super) fn count(&self) -> usize {
        self.running.as_ref().map_or(0, JoinSet::len) + self.completions.len()
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
    pub(super) fn holds_events(&self) -> bool {
        self.held_replies > 0
    }

    /// Ends all of it.
    pub(super) async fn shut_down(&mut self) {
        self.queued_authentications.clear();
        self.completions.clear();
        if let Some(running) = &mut self.running {
            running.abort_all();
            while let Some(ended) = running.join_next().await {
                drop_contained(ended);
            }
        }
    }

    fn spawn(&mut self, pacer: Arc<Pacer>, action: impl Future<Output = Completion<C>> + Send + 'static) {
        self.running.get_or_insert_default().spawn(PACER.scope(pacer, action));
    }

    /// Whether something is there to be sent, by [`send`](Beside::send); or, without need of room, somebody else sits there.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<IoNeed> {
        while let Some(running) = &mut self.running {
            match ready_or_none(running.poll_join_next(cx)) {
                Some(Ok(done)) => {
                    self.has_new_user |= matches!(done.outcome, Outcome::Authenticated { renewed: true });
                    if done.authenticates {
                        self.start_next_authentication();
                    }
                    self.completions.push_back(done);
                }
                Some(Err(error)) => {
                    tracing::error!(cause = ?Cause::new(&error), "detached task failed");
                    drop_contained(error);
                    self.held_replies = self.completions.iter().filter(|done| done.holds_events).count();
                    if running.is_empty() && self.is_authenticating {
                        self.start_next_authentication();
                    }
                }
                None => break,
            }
        }
        match self.completions.is_empty() {
            _ if self.has_new_user => Poll::Ready(IoNeed::Nothing),
            true => Poll::Pending,
            false => Poll::Ready(IoNeed::Room),
        }
    }

    /// Sends one frame, for which there is room: a reply, or an event that comes before it. What its caller may do is asked
    /// again first, where that has changed.
    pub(super) fn send_next<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>) -> Result<(), ConnectionEnd> {
        let Some(mut done) = self.completions.pop_front() else { return Ok(()) };
        if done.is_stale() {
            self.spawn(done.dispatcher.session.pacer.clone(), reauthorize(done));
            return Ok(());
        }
        if done.values.is_none()
            && let Some(mut side_effects) = done.side_effects.take_if(|effects| !effects.is_empty())
        {
            side_effects.run_before();
            let sequence = io.next_sequence();
            let undo = side_effects.run_after();
            done.committed = Some((sequence?, undo));
            done.holds_events = done.has_reply();
            self.held_replies += usize::from(done.holds_events);
        }
        if let Some((sequence, _)) = done.committed
            && io.deliver_next(sequence)?.any
        {
            self.completions.push_front(done);
            return Ok(());
        }
        if done.has_reply() {
            io.put(done.reply.text())?;
        }
        self.held_replies = self.held_replies.saturating_sub(usize::from(std::mem::take(&mut done.holds_events)));
        if done.values.is_some() {
            self.spawn(done.dispatcher.session.pacer.clone(), next_value(done));
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
        !matches!(self.outcome, Outcome::Completed { has_reply: false, .. } | Outcome::Detach | Outcome::Nothing)
    }

    /// Whether something has changed since it was asked whether its action may be called.
    fn is_stale(&mut self) -> bool {
        self.authorized_at.as_mut().is_some_and(|authorized_at| !authorized_at.is_current(&self.dispatcher))
    }
}

async fn run_action<C: Consumer>(dispatcher: Dispatcher<C>, text: FrameText) -> Completion<C> {
    let mut reply = Reply::new();
    let authenticates = dispatcher.authenticates(&text);
    let mut outcome = dispatcher.dispatch(&text, &mut reply).await;
    let (mut authorized_at, mut side_effects) = (None, None);
    if let Outcome::Completed { evaluation_epoch, side_effects: effects, .. } = &mut outcome {
        side_effects = effects.take();
        let at = authorized_at.insert(AuthorizedAt::at_epoch(*evaluation_epoch));
        at.ignore_own_epochs(side_effects.as_deref().and_then(SideEffects::own_epochs));
    }
    let values = reply.take_values();
    let is_stream = values.is_some();
    let (committed, holds_events) = (None, false);
    let done = Completion {
        dispatcher,
        text,
        authorized_at,
        outcome,
        reply,
        side_effects,
        values,
        is_stream,
        authenticates,
        committed,
        holds_events,
    };
    if is_stream { next_value(done).await } else { done }
}

/// The next of several replies. What the action causes comes with the last.
async fn next_value<C: Consumer>(mut done: Completion<C>) -> Completion<C> {
    let Some(mut values) = done.values.take() else { return done };
    // One that is always ready leaves room for others.
    tokio::task::yield_now().await;
    match done.dispatcher.next_value(&done.text, &mut values, &mut done.reply).await {
        StreamStep::More => done.values = Some(values),
        StreamStep::Last => {}
        StreamStep::Failed => done.side_effects = None,
    }
    done
}

/// Asks whether its action may still be called; else it answers that, and nothing more.
async fn reauthorize<C: Consumer>(mut done: Completion<C>) -> Completion<C> {
    let Some(authorized_at) = &mut done.authorized_at else { return done };
    if !authorized_at.reauthorize(&done.dispatcher, &done.text).await {
        done.authorized_at = None;
        done.dispatcher.refuse_changed_rights(&done.text, &mut done.reply, done.is_stream);
        done.outcome = Outcome::Refused;
        (done.values, done.side_effects) = (None, None);
        if let Some((_, undo)) = done.committed.take() {
            done.dispatcher.session.undo(undo);
        }
    }
    done
}
