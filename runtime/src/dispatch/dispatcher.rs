//! From the text of a frame to the text of its reply: the one entry to all actions of a consumer.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::authenticate::{AuthenticateLimiter, is_authenticate};
use super::report::{panicked, report};
use super::route_match::RouteMatch;
use crate::consumer::{ActionDescriptor, Consumer, Traversal};
use crate::context::{Authorized, Call, User};
use crate::dialect::native;
use crate::error::{Error, Result};
use crate::message::{Envelope, Reply, Request, RequestLimits, Values};
use crate::panic::catch_unwind_future;
use crate::session::{CurrentScope, PACER, Session};
use crate::time::deadline;
use crate::transport::Text;

/// One of several replies.
pub(crate) enum StreamStep {
    /// More will come.
    More,
    /// It is the last.
    Last,
    /// It is the last, because something went wrong.
    Failed,
}

/// How much longer than the walk of a blocking action its thread is waited for.
pub(super) const HEAD_START: Duration = Duration::from_millis(100);

/// Answers the messages of one connection.
pub(crate) struct Dispatcher<C: Consumer> {
    pub(crate) seat: Arc<Session<C>>,
    pub(crate) bounds: RequestLimits,
    pub(crate) time: Duration,
    /// Whether this is on a thread that may be held up.
    pub(super) blocking: bool,
    /// Whether this is beside the queue already.
    pub(super) beside: bool,
    pub(super) attempts: Option<Arc<AuthenticateLimiter>>,
}

impl<C: Consumer> Clone for Dispatcher<C> {
    fn clone(&self) -> Self {
        let Dispatcher { seat, bounds, time, blocking, beside, attempts } = self;
        let (bounds, time, blocking, beside) = (*bounds, *time, *blocking, *beside);
        Dispatcher { seat: seat.clone(), bounds, time, blocking, beside, attempts: attempts.clone() }
    }
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The action has ended. It has side effects only if it succeeded. `evaluation_epoch` is the epoch in which its permissions
    /// were evaluated.
    Ended { written: bool, evaluation_epoch: u64 },
    /// It did not come to its action, and the reply says why.
    Refused,
    /// It brought credentials, and the reply says whether they were good.
    Authenticated { renewed: bool },
    /// Nothing yet: its action is to run beside the queue.
    Detach,
    /// Nothing: nobody waits for it.
    Nothing,
}

/// What became of one evaluation of a message.
enum Evaluated {
    Answered(Outcome),
    /// Rights changed, or the session ended, before the action started. `expires` is when the evaluation would have timed out,
    /// if it had to wait.
    Overtaken {
        expires: Option<Instant>,
    },
}

impl<C: Consumer> Dispatcher<C> {
    pub(crate) fn new(seat: Arc<Session<C>>, bounds: RequestLimits, time: Duration, attempts: u32) -> Dispatcher<C> {
        let attempts = C::AUTHENTICATES.then(|| Arc::new(AuthenticateLimiter::new(attempts)));
        Dispatcher { seat, bounds, time, blocking: false, beside: false, attempts }
    }

    /// The same beside the queue.
    pub(crate) fn beside(&self) -> Dispatcher<C> {
        Dispatcher { beside: true, ..self.clone() }
    }

    /// Answers a text frame.
    ///
    /// This and what it calls for every message are `async` blocks: an `async fn` keeps each parameter twice, and an idle
    /// connection is as large as this future.
    #[expect(clippy::manual_async_fn, reason = "40 bytes per connection")]
    pub(crate) fn text<'s>(&'s self, text: &'s Text, reply: &'s mut Reply) -> impl Future<Output = Outcome> + Send {
        async move {
            let mut request = Request::default();
            if let Err(error) = request.read(text, self.bounds) {
                return self.refuse_unreadable(&request, &error, reply);
            }
            if C::AUTHENTICATES && is_authenticate(&request.head) {
                return self.authenticating(&request, reply).await;
            }
            let mut matched = RouteMatch::default();
            matched.find(self.seat.consumer().descriptor(), &request.head.route);
            if let Some(row) = row(&matched, &request.head) {
                if row.is_detached && !self.beside {
                    return Outcome::Detach;
                }
                if row.is_blocking && !self.blocking {
                    return self.on_a_thread(text, reply).await;
                }
            }
            match self.evaluate(&request, &matched, reply, self.time).await {
                Evaluated::Answered(outcome) => outcome,
                Evaluated::Overtaken { expires } => self.evaluate_again(&request, &matched, reply, expires).await,
            }
        }
    }

    /// Boxed, as what is asked for seldom is not to stand among what every message needs, in memory or in code.
    #[cold]
    fn authenticating<'s>(&'s self, request: &'s Request<'_>, reply: &'s mut Reply) -> BoxFuture<'s, Outcome> {
        Box::pin(self.authenticate(request, reply))
    }

    /// For the same reason.
    #[cold]
    fn on_a_thread<'s>(&'s self, text: &Text, reply: &'s mut Reply) -> BoxFuture<'s, Outcome> {
        Box::pin(self.blocking(text.clone(), reply))
    }

    /// Who sits there now.
    pub(super) fn scope(&self) -> Result<CurrentScope<'_, C::User>> {
        self.seat.scope().ok_or_else(|| Error::internal("a message before anybody sat down"))
    }

    /// Writes the next of several replies to a message.
    pub(crate) async fn next(&self, text: &str, values: &mut Pin<Box<dyn Values>>, reply: &mut Reply) -> StreamStep {
        let error = loop {
            native::begin(reply);
            let value = poll_fn(|cx| values.as_mut().poll_value(cx, reply));
            let value = deadline(self.time, catch_unwind_future(value)).await;
            let last = match value {
                Some(Ok(Some(Ok(())))) if reply.is_silent() => {
                    // Many such values in a row must leave room for others too.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Ok(Some(Ok(())))) => false,
                Some(Ok(None)) => true,
                Some(Ok(Some(Err(error)))) => break error,
                Some(Err(panic)) => break panicked(&panic),
                None => break Error::timeout(),
            };
            native::finish_one(reply, &self.reread(text).head, last);
            return if last { StreamStep::Last } else { StreamStep::More };
        };
        self.refuse(text, &error, reply, true);
        StreamStep::Failed
    }

    /// A message that was read before.
    pub(super) fn reread<'t>(&self, text: &'t str) -> Request<'t> {
        let mut request = Request::default();
        let _ = request.read(text, self.bounds);
        request
    }

    /// Writes what went wrong with a message that was read before, as the last of several replies or as the only one.
    pub(super) fn refuse(&self, text: &str, error: &Error, reply: &mut Reply, of_several: bool) {
        let Ok(scope) = self.scope() else { return };
        let request = self.reread(text);
        let call = Call::new(&*scope, &request.head, &[], &[], &[]);
        if of_several {
            let id = report(&call, error);
            native::refuse_the_rest(reply, &request.head, error, id.as_deref());
        } else {
            refuse(&call, error, reply);
        }
    }

    /// Answers a binary frame.
    pub(crate) fn binary(reply: &mut Reply) {
        let error = Error::new(StatusCode::BAD_REQUEST, "binary_frame", "Messages are text frames.");
        native::refuse(reply, &Envelope::default(), &error, None);
    }

    /// Evaluates a message whose evaluation was overtaken, within the time that is left. Boxed, because an idle connection is
    /// as large as this future.
    #[cold]
    fn evaluate_again<'s>(
        &'s self,
        request: &'s Request<'_>,
        matched: &'s RouteMatch<'_>,
        reply: &'s mut Reply,
        expires: Option<Instant>,
    ) -> BoxFuture<'s, Outcome> {
        Box::pin(async move {
            let expires = expires.unwrap_or_else(|| Instant::now() + self.time);
            loop {
                // Rights that change all the time must not keep a thread.
                tokio::task::yield_now().await;
                if self.seat.mailbox.gate().is_closed() {
                    return Outcome::Nothing;
                }
                let time = expires.saturating_duration_since(Instant::now());
                if time.is_zero() {
                    let Ok(scope) = self.scope() else { return Outcome::Nothing };
                    let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps);
                    refuse(&call, &Error::timeout(), reply);
                    return Outcome::Refused;
                }
                if let Evaluated::Answered(outcome) = self.evaluate(request, matched, reply, time).await {
                    return outcome;
                }
            }
        })
    }

    /// Evaluates a message once and runs its action, within that time. If it is overtaken, the message must be evaluated again
    /// with the session's current scope, including arguments, objects and extractors.
    #[expect(clippy::manual_async_fn, reason = "48 bytes per connection")]
    fn evaluate<'s>(
        &'s self,
        request: &'s Request<'_>,
        matched: &'s RouteMatch<'_>,
        reply: &'s mut Reply,
        time: Duration,
    ) -> impl Future<Output = Evaluated> + Send {
        async move {
            // Read before the scope, and before anything is checked.
            let epoch = self.seat.mailbox.epoch();
            let Ok(scope) = self.scope() else { return Evaluated::Answered(Outcome::Nothing) };
            let mut call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
                .with_objects(self.bounds.objects)
                .with_seat(&self.seat)
                .with_gate(self.seat.mailbox.gate(), epoch)
                .on_blocking_thread(self.blocking);
            native::begin(reply);
            // The traversal is created inside because it is large, and dropped inside because the `Drop` of one that timed
            // out may panic.
            let walking = async {
                let mut walk = Traversal::new(&call, reply);
                let way = pin!(self.seat.consumer().enter::<C>(&mut walk, Authorized::at_the_door()));
                let mut way = pin!(deadline(time, way));
                let outcome = way.as_mut().await;
                (outcome, if call.is_overtaken() { way.expires_at() } else { None })
            };
            match catch_unwind_future(walking).await {
                Ok((Some(Ok(())), _)) => {
                    let evaluation_epoch = call.evaluation_epoch();
                    let (effects, own_changes) = call.take_outcome();
                    reply.cause(effects, own_changes);
                    let written = !reply.is_silent();
                    if written {
                        native::finish(reply, &request.head);
                    }
                    Evaluated::Answered(Outcome::Ended { written, evaluation_epoch })
                }
                Ok((Some(Err(_)), expires)) if call.is_overtaken() => Evaluated::Overtaken { expires },
                Ok((Some(Err(error)), _)) => Evaluated::Answered(fail(call, &error, reply)),
                Ok((None, _)) => Evaluated::Answered(fail_late(call, reply)),
                Err(panic) => Evaluated::Answered(fail(call, &panicked(&panic), reply)),
            }
        }
    }

    #[cold]
    fn refuse_unreadable(&self, request: &Request<'_>, error: &Error, reply: &mut Reply) -> Outcome {
        let Ok(scope) = self.scope() else { return Outcome::Nothing };
        refuse(&Call::new(&*scope, &request.head, &request.fields, &[], &[]), error, reply);
        Outcome::Refused
    }

    /// The same walk, on a thread that may block. An action that has begun there goes on when its time is over, or when
    /// the connection is; its reply does not. One that has not begun, checks included, never does.
    async fn blocking(&self, text: Text, reply: &mut Reply) -> Outcome {
        let (mut answerer, arrived) = (Dispatcher { blocking: true, ..self.clone() }, Instant::now());
        let there = text.clone();
        let running = AbortOnDrop::new(move || async move {
            answerer.time = answerer.time.saturating_sub(arrived.elapsed());
            if answerer.time.is_zero() {
                // Too late to begin: that it took too long is told by who waits.
                return None;
            }
            let mut reply = Reply::new();
            let outcome = answerer.text(&there, &mut reply).await;
            Some((outcome, reply))
        });
        // The walk's own clock goes first: it knows whether a check or the action took too long.
        let error = match deadline(self.time.saturating_add(HEAD_START), running).await {
            Some(Ok(Some(Some((outcome, written))))) => {
                *reply = written;
                return outcome;
            }
            Some(Err(stopped)) => Error::internal(stopped),
            Some(Ok(_)) | None => Error::timeout(),
        };
        self.refuse(&text, &error, reply, false);
        Outcome::Refused
    }
}

/// A thread's work that ends at the next place where it waits, or does not begin, once nobody waits for it.
pub(super) struct AbortOnDrop<T> {
    thread: JoinHandle<T>,
    /// The thread sees it go.
    _waiting: oneshot::Sender<()>,
}

impl<T: Send + 'static> AbortOnDrop<T> {
    /// Does the work of a future on a thread that may be held up, until nobody waits for it: then it gives `None`.
    pub(super) fn new<F: Future<Output = T>>(work: impl FnOnce() -> F + Send + 'static) -> AbortOnDrop<Option<T>> {
        let (waiting, mut abandoned) = oneshot::channel::<()>();
        let pacer = PACER.try_with(Arc::clone).ok();
        let thread = tokio::task::spawn_blocking(move || {
            let work = async {
                tokio::select! {
                    biased;
                    _ = &mut abandoned => None,
                    done = work() => Some(done),
                }
            };
            // Not `Handle::block_on`: inside it, an action could not call `block_on` itself.
            match pacer {
                Some(pacer) => pollster::block_on(PACER.scope(pacer, work)),
                None => pollster::block_on(work),
            }
        });
        AbortOnDrop { thread, _waiting: waiting }
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.thread).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.thread.abort();
    }
}

/// The row of the action that a message names.
pub(super) fn row<'n>(matched: &RouteMatch<'n>, head: &Envelope<'_>) -> Option<&'n ActionDescriptor> {
    matched.node?.actions.iter().find(|row| row.name == head.action)
}

/// Refuses a message, before or in its action.
#[cold]
fn fail<U: User>(mut call: Call<'_, U>, error: &Error, reply: &mut Reply) -> Outcome {
    refuse(&call, error, reply);
    if !call.has_begun() {
        return Outcome::Refused;
    }
    // What it says was true of what its caller could do then.
    let evaluation_epoch = call.evaluation_epoch();
    let (_, own_changes) = call.take_outcome();
    reply.cause(Vec::new(), own_changes);
    Outcome::Ended { written: true, evaluation_epoch }
}

/// Refuses a message that took too long.
#[cold]
fn fail_late<U: User>(call: Call<'_, U>, reply: &mut Reply) -> Outcome {
    let error = timed_out(&call);
    fail(call, &error, reply)
}

/// A check that outlives its time is a fault of the server; an action that does is told so.
pub(super) fn timed_out<U: User>(call: &Call<'_, U>) -> Error {
    match call.unanswered() {
        Some(leaf) => Error::internal("the check took too long").refused_by(leaf),
        None => Error::timeout(),
    }
}

/// The one place where a refusal is told, to the client and to the log.
#[cold]
pub(super) fn refuse<U: User>(call: &Call<'_, U>, error: &Error, reply: &mut Reply) {
    let id = report(call, error);
    native::refuse(reply, call.head(), error, id.as_deref());
}
