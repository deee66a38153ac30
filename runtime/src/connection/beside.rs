//! Actions that run beside the others, each with its own replies: detached ones, and fresh credentials.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::outbox::{Lost, Outbox};
use crate::consumer::Consumer;
use crate::message::{self, Effect, Reply, Values};
use crate::router::{Answerer, Outcome, Value};
use crate::transport::Transport;

/// What runs beside, a few at most: each is looked at whenever something happens.
pub(super) struct Beside<C: Consumer, X> {
    running: Vec<BoxFuture<'static, Done<C, X>>>,
    /// Whether credentials are being looked at: only one at a time.
    pub(super) authenticates: bool,
    /// Credentials that wait for that.
    attempts: VecDeque<X>,
}

/// A reply that such an action has given.
pub(super) struct Done<C: Consumer, X> {
    answerer: Answerer<C>,
    text: X,
    /// When it was last asked whether the action may be called.
    epoch: u64,
    outcome: Outcome,
    reply: Reply,
    effects: Vec<Effect>,
    /// What it goes on to answer.
    values: Option<Pin<Box<dyn Values>>>,
    /// Whether it is one of several.
    of_several: bool,
    /// Whether it brought credentials.
    authenticates: bool,
}

impl<C: Consumer, X> Done<C, X> {
    pub(super) fn renewed(&self) -> bool {
        matches!(self.outcome, Outcome::Authenticated { renewed: true })
    }
}

impl<C: Consumer, X: AsRef<str> + Clone + Send + Sync + 'static> Beside<C, X> {
    pub(super) fn new() -> Beside<C, X> {
        Beside { running: Vec::new(), authenticates: false, attempts: VecDeque::new() }
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.attempts.len()
    }

    pub(super) fn detach(&mut self, answerer: &Answerer<C>, text: X) {
        self.running.push(answer(answerer.clone(), text).boxed());
    }

    /// Has credentials looked at, once those are done that came before.
    pub(super) fn authenticate(&mut self, answerer: &Answerer<C>, text: X) {
        if self.authenticates {
            return self.attempts.push_back(text);
        }
        self.authenticates = true;
        self.detach(answerer, text);
    }

    /// One attempt is done: the next begins.
    pub(super) fn next_attempt(&mut self, answerer: &Answerer<C>) {
        self.authenticates = false;
        if let Some(text) = self.attempts.pop_front() {
            self.authenticate(answerer, text);
        }
    }

    /// The next reply of any of them; none comes while nothing runs. Cancel-safe.
    pub(super) async fn done(&mut self) -> Done<C, X> {
        poll_fn(|cx| {
            for at in 0..self.running.len() {
                if let Poll::Ready(done) = self.running[at].as_mut().poll(cx) {
                    drop(self.running.swap_remove(at));
                    if done.authenticates {
                        self.next_attempt(&done.answerer);
                    }
                    return Poll::Ready(done);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Sends a reply, among what its action has caused, unless what its caller may do has changed since: then it is asked
    /// first.
    pub(super) async fn finish<T>(&mut self, outbox: &mut Outbox<C, T>, mut done: Done<C, X>) -> Result<(), Lost>
    where
        T: Transport<Text = X>,
    {
        if done.is_stale() {
            self.running.push(ask_again(done).boxed());
            return Ok(());
        }
        if done.values.is_none() && !done.effects.is_empty() {
            let rest = message::before(std::mem::take(&mut done.effects));
            let place = outbox.place();
            message::after(rest);
            outbox.deliver_before(place?).await?;
        }
        if done.written() {
            outbox.room().await?;
            if done.is_stale() {
                self.running.push(ask_again(done).boxed());
                return Ok(());
            }
            outbox.put(done.reply.take())?;
        }
        if done.values.is_some() {
            self.running.push(next_value(done).boxed());
        }
        Ok(())
    }
}

impl<C: Consumer, X> Done<C, X> {
    fn written(&self) -> bool {
        !matches!(self.outcome, Outcome::Ended { written: false, .. } | Outcome::Detach | Outcome::Nothing)
    }

    /// Whether something has changed since it was asked whether its action may be called.
    fn is_stale(&self) -> bool {
        matches!(self.outcome, Outcome::Ended { .. }) && self.answerer.seat.mailbox.epoch() != self.epoch
    }
}

async fn answer<C, X>(answerer: Answerer<C>, text: X) -> Done<C, X>
where
    C: Consumer,
    X: AsRef<str> + Clone + Send + Sync + 'static,
{
    let mut reply = Reply::new();
    let epoch = answerer.seat.mailbox.epoch();
    let authenticates = answerer.authenticates(&text);
    let outcome = answerer.text(&text, &mut reply).await;
    let (values, effects) = (reply.take_values(), reply.take_effects());
    let own_changes = if let Outcome::Ended { own_changes, .. } = outcome { own_changes } else { 0 };
    let epoch = epoch + own_changes;
    let done = Done { answerer, text, epoch, outcome, reply, effects, values, of_several: false, authenticates };
    if done.values.is_some() { next_value(done).await } else { done }
}

/// The next of several replies. What the action causes comes with the last.
async fn next_value<C: Consumer, X: AsRef<str>>(mut done: Done<C, X>) -> Done<C, X> {
    done.of_several = true;
    let Some(mut values) = done.values.take() else { return done };
    // One that is always ready leaves room for others.
    tokio::task::yield_now().await;
    let value = done.answerer.next(done.text.as_ref(), &mut values, &mut done.reply).await;
    match value {
        Value::More => done.values = Some(values),
        Value::Last => {}
        Value::Failed => done.effects.clear(),
    }
    done
}

/// Asks whether its action may still be called; else it answers that, and nothing more.
async fn ask_again<C: Consumer, X: AsRef<str>>(mut done: Done<C, X>) -> Done<C, X> {
    if !done.answerer.still(done.text.as_ref(), &mut done.epoch).await {
        done.answerer.deny(done.text.as_ref(), &mut done.reply, done.of_several);
        (done.outcome, done.authenticates) = (Outcome::Refused, false);
        (done.values, done.effects) = (None, Vec::new());
    }
    done
}
