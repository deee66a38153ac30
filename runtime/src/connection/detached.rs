//! Actions that run beside the queue, each with its own replies: detached ones, and fresh credentials.
//!
//! Each is a task of its own, so that none stands still while the connection waits for a client who does not read. What it
//! answers is sent piece by piece, whenever there is room.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinSet;

use super::io::{ConnectionIo, IoNeed, Lost};
use crate::consumer::Consumer;
use crate::dispatch::{AuthorizedAt, Dispatcher, Outcome, StreamStep};
use crate::log::Cause;
use crate::message::{self, Reply, SideEffect, Undo, Values};
use crate::panic::drop_contained;
use crate::session::{PACER, Pacer};
use crate::transport::{FrameText, Transport};

/// What runs beside the queue.
pub(super) struct DetachedTasks<C: Consumer> {
    /// Made when it is first needed, as an idle connection should be small.
    running: Option<JoinSet<Completion<C>>>,
    /// What is to be sent.
    done: VecDeque<Completion<C>>,
    /// Whether credentials are being looked at: only one at a time.
    pub(super) authenticates: bool,
    /// Credentials that wait for that.
    attempts: VecDeque<(Dispatcher<C>, FrameText)>,
    /// Whether somebody else sits there since that was asked for last.
    pub(super) renewed: bool,
    /// How many replies are still to go out for which events wait: those that come by what their actions have joined.
    holds: usize,
}

/// A reply that such an action has given.
pub(super) struct Completion<C: Consumer> {
    answerer: Dispatcher<C>,
    text: FrameText,
    /// When its action was last authorized, if it has run.
    asked: Option<AuthorizedAt>,
    outcome: Outcome,
    reply: Reply,
    effects: Vec<SideEffect>,
    /// What it goes on to answer.
    values: Option<Pin<Box<dyn Values>>>,
    /// Whether it is one of several.
    of_several: bool,
    /// Whether it brought credentials.
    authenticates: bool,
    /// Once it has taken effect: the events before that place come before the reply, and what is undone where there is none.
    caused: Option<(u64, Vec<Undo>)>,
    /// Whether events wait for it.
    held: bool,
}

impl<C: Consumer> DetachedTasks<C> {
    pub(super) fn new() -> DetachedTasks<C> {
        DetachedTasks {
            running: None,
            done: VecDeque::new(),
            authenticates: false,
            attempts: VecDeque::new(),
            renewed: false,
            holds: 0,
        }
    }

    /// How many run, or wait to be sent.
    pub(super) fn running(&self) -> usize {
        self.running.as_ref().map_or(0, JoinSet::len) + self.done.len()
    }

    /// How much waits: credentials to be looked at, and replies to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.attempts.len() + self.done.len()
    }

    pub(super) fn detach(&mut self, answerer: Dispatcher<C>, text: FrameText) {
        self.run(answerer.seat.pacer.clone(), answer(answerer, text));
    }

    /// Has credentials looked at, once those are done that came before.
    pub(super) fn authenticate(&mut self, answerer: &Dispatcher<C>, text: FrameText) {
        self.attempts.push_back((answerer.clone(), text));
        if !self.authenticates {
            self.next_attempt();
        }
    }

    /// One attempt is done: the next begins.
    pub(super) fn next_attempt(&mut self) {
        let next = self.attempts.pop_front();
        self.authenticates = next.is_some();
        if let Some((answerer, text)) = next {
            self.detach(answerer, text);
        }
    }

    /// Whether events wait for a reply.
    pub(super) fn holds(&self) -> bool {
        self.holds > 0
    }

    /// Ends all of it.
    pub(super) async fn end(&mut self) {
        self.attempts.clear();
        self.done.clear();
        if let Some(running) = &mut self.running {
            running.abort_all();
            while let Some(ended) = running.join_next().await {
                drop_contained(ended);
            }
        }
    }

    fn run(&mut self, pacer: Arc<Pacer>, action: impl Future<Output = Completion<C>> + Send + 'static) {
        self.running.get_or_insert_default().spawn(PACER.scope(pacer, action));
    }

    /// Whether something is there to be sent, by [`send`](Beside::send); or, without need of room, somebody else sits there.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<IoNeed> {
        while let Some(running) = &mut self.running {
            match ready_or_none(running.poll_join_next(cx)) {
                Some(Ok(done)) => {
                    self.renewed |= matches!(done.outcome, Outcome::Authenticated { renewed: true });
                    if done.authenticates {
                        self.next_attempt();
                    }
                    self.done.push_back(done);
                }
                Some(Err(error)) => {
                    tracing::error!(cause = ?Cause::new(&error), "detached task failed");
                    drop_contained(error);
                    self.holds = self.done.iter().filter(|done| done.held).count();
                    if running.is_empty() && self.authenticates {
                        self.next_attempt();
                    }
                }
                None => break,
            }
        }
        match self.done.is_empty() {
            _ if self.renewed => Poll::Ready(IoNeed::Nothing),
            true => Poll::Pending,
            false => Poll::Ready(IoNeed::Room),
        }
    }

    /// Sends one frame, for which there is room: a reply, or an event that comes before it. What its caller may do is asked
    /// again first, where that has changed.
    pub(super) fn send<T: Transport>(&mut self, outbox: &mut ConnectionIo<C, T>) -> Result<(), Lost> {
        let Some(mut done) = self.done.pop_front() else { return Ok(()) };
        if done.is_stale() {
            self.run(done.answerer.seat.pacer.clone(), ask_again(done));
            return Ok(());
        }
        if done.values.is_none() && !done.effects.is_empty() {
            let rest = message::run_before_reply(std::mem::take(&mut done.effects));
            let place = outbox.place();
            let undo = message::run_after_reply(rest);
            done.caused = Some((place?, undo));
            done.held = done.written();
            self.holds += usize::from(done.held);
        }
        if let Some((place, _)) = done.caused
            && outbox.deliver_next(place)?.any
        {
            self.done.push_front(done);
            return Ok(());
        }
        if done.written() {
            outbox.put(done.reply.text())?;
        }
        self.holds = self.holds.saturating_sub(usize::from(std::mem::take(&mut done.held)));
        if done.values.is_some() {
            self.run(done.answerer.seat.pacer.clone(), next_value(done));
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
    fn written(&self) -> bool {
        !matches!(self.outcome, Outcome::Ended { written: false, .. } | Outcome::Detach | Outcome::Nothing)
    }

    /// Whether something has changed since it was asked whether its action may be called.
    fn is_stale(&mut self) -> bool {
        self.asked.as_mut().is_some_and(|asked| !asked.holds(&self.answerer))
    }
}

async fn answer<C: Consumer>(answerer: Dispatcher<C>, text: FrameText) -> Completion<C> {
    let mut reply = Reply::new();
    let authenticates = answerer.authenticates(&text);
    let outcome = answerer.text(&text, &mut reply).await;
    let asked = match outcome {
        Outcome::Ended { evaluation_epoch, .. } => {
            let mut asked = AuthorizedAt::from_epoch(evaluation_epoch);
            asked.own(reply.take_own_changes());
            Some(asked)
        }
        _ => None,
    };
    let (values, effects) = (reply.take_values(), reply.take_effects());
    let of_several = values.is_some();
    let (caused, held) = (None, false);
    let done =
        Completion { answerer, text, asked, outcome, reply, effects, values, of_several, authenticates, caused, held };
    if of_several { next_value(done).await } else { done }
}

/// The next of several replies. What the action causes comes with the last.
async fn next_value<C: Consumer>(mut done: Completion<C>) -> Completion<C> {
    let Some(mut values) = done.values.take() else { return done };
    // One that is always ready leaves room for others.
    tokio::task::yield_now().await;
    match done.answerer.next(&done.text, &mut values, &mut done.reply).await {
        StreamStep::More => done.values = Some(values),
        StreamStep::Last => {}
        StreamStep::Failed => done.effects.clear(),
    }
    done
}

/// Asks whether its action may still be called; else it answers that, and nothing more.
async fn ask_again<C: Consumer>(mut done: Completion<C>) -> Completion<C> {
    let Some(asked) = &mut done.asked else { return done };
    if !asked.again(&done.answerer, &done.text).await {
        done.asked = None;
        done.answerer.deny(&done.text, &mut done.reply, done.of_several);
        done.outcome = Outcome::Refused;
        (done.values, done.effects) = (None, Vec::new());
        if let Some((_, undo)) = done.caused.take() {
            done.answerer.seat.undo(undo);
        }
    }
    done
}
