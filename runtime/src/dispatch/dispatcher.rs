//! From the text of a frame to the text of its reply: the one entry to all actions of a consumer.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use tokio::time::Instant;

use super::authenticate::{AuthenticateLimiter, is_authenticate};
use super::report::{panic_error, report};
use super::route_match::RouteMatch;
use crate::consumer::{ActionDescriptor, Consumer, Traversal};
use crate::context::{Authorized, Call, SideEffects, User};
use crate::dialect::native;
use crate::error::{Error, Result};
use crate::message::{Envelope, Reply, Request, RequestLimits, Values};
use crate::panic::catch_unwind_future;
use crate::session::{CurrentScope, Session};
use crate::time::deadline;
use crate::transport::FrameText;

/// One of several replies.
pub(crate) enum StreamStep {
    /// More will come.
    More,
    /// It is the last.
    Last,
    /// It is the last, because something went wrong.
    Failed,
}

/// Answers the messages of one connection.
pub(crate) struct Dispatcher<C: Consumer> {
    pub(crate) session: Arc<Session<C>>,
    pub(crate) request_limits: RequestLimits,
    pub(crate) action_timeout: Duration,
    /// Whether this is on a thread that may be held up.
    pub(super) is_blocking_thread: bool,
    /// Whether this dispatcher runs a detached task.
    pub(super) can_run_detached: bool,
    pub(super) authenticate_limiter: Option<Arc<AuthenticateLimiter>>,
}

impl<C: Consumer> Clone for Dispatcher<C> {
    fn clone(&self) -> Self {
        let Dispatcher {
            session,
            request_limits,
            action_timeout,
            is_blocking_thread,
            can_run_detached,
            authenticate_limiter,
        } = self;
        let (request_limits, action_timeout, is_blocking_thread, can_run_detached) =
            (*request_limits, *action_timeout, *is_blocking_thread, *can_run_detached);
        Dispatcher {
            session: session.clone(),
            request_limits,
            action_timeout,
            is_blocking_thread,
            can_run_detached,
            authenticate_limiter: authenticate_limiter.clone(),
        }
    }
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The action has ended. It has side effects to run only if it succeeded. `evaluation_epoch` is the epoch in which its
    /// permissions were evaluated.
    Completed { has_reply: bool, evaluation_epoch: u64, side_effects: Option<Box<SideEffects>> },
    /// It did not come to its action, and the reply says why.
    Refused,
    /// It brought credentials, and the reply says whether they were good.
    Authenticated { is_renewed: bool },
    /// Nothing yet: its action runs as a detached task.
    Detach,
    /// Nothing: nobody waits for it.
    SessionEnded,
}

/// What became of one evaluation of a message.
enum Evaluation {
    Finished(Outcome),
    /// Rights changed, or the session ended, before the action started. `expires` is when the evaluation would have timed out,
    /// if it had to wait.
    NotAdmitted {
        expires_at: Option<Instant>,
    },
}

impl<C: Consumer> Dispatcher<C> {
    pub(crate) fn new(
        session: Arc<Session<C>>,
        request_limits: RequestLimits,
        action_timeout: Duration,
        max_authenticate_per_minute: u32,
    ) -> Dispatcher<C> {
        let authenticate_limiter =
            C::AUTHENTICATES.then(|| Arc::new(AuthenticateLimiter::new(max_authenticate_per_minute)));
        Dispatcher {
            session,
            request_limits,
            action_timeout,
            is_blocking_thread: false,
            can_run_detached: false,
            authenticate_limiter,
        }
    }

    /// Returns a dispatcher for a detached task.
    pub(crate) fn allow_detached(&self) -> Dispatcher<C> {
        Dispatcher { can_run_detached: true, ..self.clone() }
    }

    /// Answers a text frame.
    ///
    /// This and what it calls for every message are `async` blocks: an `async fn` keeps each parameter twice, and an idle
    /// connection is as large as this future.
    #[expect(clippy::manual_async_fn, reason = "40 bytes per connection")]
    pub(crate) fn dispatch<'s>(
        &'s self,
        text: &'s FrameText,
        reply: &'s mut Reply,
    ) -> impl Future<Output = Outcome> + Send {
        async move {
            let mut request = Request::default();
            if let Err(error) = request.read(text, self.request_limits) {
                return self.refuse_unreadable(&request, &error, reply);
            }
            if C::AUTHENTICATES && is_authenticate(&request.head) {
                return self.dispatch_authenticate(&request, reply).await;
            }
            let mut matched = RouteMatch::default();
            matched.find(self.session.consumer().descriptor(), &request.head.route);
            if let Some(action) = find_action(&matched, &request.head) {
                if action.is_detached && !self.can_run_detached {
                    return Outcome::Detach;
                }
                if action.is_blocking && !self.is_blocking_thread {
                    return self.dispatch_blocking(text, reply).await;
                }
            }
            match self.evaluate(&request, &matched, reply, self.action_timeout).await {
                Evaluation::Finished(outcome) => outcome,
                Evaluation::NotAdmitted { expires_at } => {
                    self.evaluate_after_change(&request, &matched, reply, expires_at).await
                }
            }
        }
    }

    /// Boxed, as what is asked for seldom is not to stand among what every message needs, in memory or in code.
    #[cold]
    fn dispatch_authenticate<'s>(&'s self, request: &'s Request<'_>, reply: &'s mut Reply) -> BoxFuture<'s, Outcome> {
        Box::pin(self.authenticate(request, reply))
    }

    /// For the same reason.
    #[cold]
    fn dispatch_blocking<'s>(&'s self, text: &FrameText, reply: &'s mut Reply) -> BoxFuture<'s, Outcome> {
        Box::pin(self.run_blocking(text.clone(), reply))
    }

    /// Who sits there now.
    pub(super) fn scope(&self) -> Result<CurrentScope<'_, C::User>> {
        self.session.scope().ok_or_else(|| Error::internal("a message before anybody sat down"))
    }

    /// Writes the next of several replies to a message.
    pub(crate) async fn next_value(
        &self,
        text: &str,
        values: &mut Pin<Box<dyn Values>>,
        reply: &mut Reply,
    ) -> StreamStep {
        let error = loop {
            native::begin(reply);
            let value = poll_fn(|cx| values.as_mut().poll_value(cx, reply));
            let value = deadline(self.action_timeout, catch_unwind_future(value)).await;
            let is_last = match value {
                Some(Ok(Some(Ok(())))) if reply.is_silent() => {
                    // Many such values in a row must leave room for others too.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Ok(Some(Ok(())))) => false,
                Some(Ok(None)) => true,
                Some(Ok(Some(Err(error)))) => break error,
                Some(Err(panic)) => break panic_error(&panic),
                None => break Error::timeout(),
            };
            native::finish_streamed(reply, &self.reparse(text).head, is_last);
            return if is_last { StreamStep::Last } else { StreamStep::More };
        };
        self.refuse(text, &error, reply, true);
        StreamStep::Failed
    }

    /// A message that was read before.
    pub(super) fn reparse<'t>(&self, text: &'t str) -> Request<'t> {
        let mut request = Request::default();
        let _ = request.read(text, self.request_limits);
        request
    }

    /// Writes what went wrong with a message that was read before, as the last of several replies or as the only one.
    pub(super) fn refuse(&self, text: &str, error: &Error, reply: &mut Reply, is_stream: bool) {
        let Ok(scope) = self.scope() else { return };
        let request = self.reparse(text);
        let call = Call::new(&*scope, &request.head, &[], &[], &[]);
        if is_stream {
            let id = report(&call, error);
            native::refuse_streamed(reply, &request.head, error, id.as_deref());
        } else {
            refuse(&call, error, reply);
        }
    }

    /// Answers a binary frame.
    pub(crate) fn refuse_binary(reply: &mut Reply) {
        let error = Error::new(StatusCode::BAD_REQUEST, "binary_frame", "Messages are text frames.");
        native::refuse(reply, &Envelope::default(), &error, None);
    }

    /// Evaluates a message whose evaluation was overtaken, within the time that is left. Boxed, because an idle connection is
    /// as large as this future.
    #[cold]
    fn evaluate_after_change<'s>(
        &'s self,
        request: &'s Request<'_>,
        matched: &'s RouteMatch<'_>,
        reply: &'s mut Reply,
        expires_at: Option<Instant>,
    ) -> BoxFuture<'s, Outcome> {
        Box::pin(async move {
            let expires_at = expires_at.unwrap_or_else(|| Instant::now() + self.action_timeout);
            loop {
                // Rights that change all the time must not keep a thread.
                tokio::task::yield_now().await;
                if self.session.send_queue.start_gate().is_closed() {
                    return Outcome::SessionEnded;
                }
                let remaining = expires_at.saturating_duration_since(Instant::now());
                if remaining.is_zero() {
                    let Ok(scope) = self.scope() else { return Outcome::SessionEnded };
                    let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps);
                    refuse(&call, &Error::timeout(), reply);
                    return Outcome::Refused;
                }
                if let Evaluation::Finished(outcome) = self.evaluate(request, matched, reply, remaining).await {
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
        action_timeout: Duration,
    ) -> impl Future<Output = Evaluation> + Send {
        async move {
            // Read before the scope, and before anything is checked.
            let epoch = self.session.send_queue.epoch();
            let Ok(scope) = self.scope() else { return Evaluation::Finished(Outcome::SessionEnded) };
            let mut call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
                .with_objects(self.request_limits.max_objects)
                .with_seat(&self.session)
                .with_gate(self.session.send_queue.start_gate(), epoch)
                .on_blocking_thread(self.is_blocking_thread);
            native::begin(reply);
            // The traversal is created inside because it is large, and dropped inside because the `Drop` of one that timed
            // out may panic.
            let evaluation = async {
                let mut traversal = Traversal::new(&call, reply);
                let entry = pin!(self.session.consumer().enter::<C>(&mut traversal, Authorized::at_the_door()));
                let mut entry = pin!(deadline(action_timeout, entry));
                let outcome = entry.as_mut().await;
                (outcome, if call.is_overtaken() { entry.expires_at() } else { None })
            };
            match catch_unwind_future(evaluation).await {
                Ok((Some(Ok(())), _)) => {
                    let (evaluation_epoch, side_effects) = (call.evaluation_epoch(), call.take_side_effects());
                    let has_reply = !reply.is_silent();
                    if has_reply {
                        native::finish(reply, &request.head);
                    }
                    Evaluation::Finished(Outcome::Completed { has_reply, evaluation_epoch, side_effects })
                }
                Ok((Some(Err(_)), expires_at)) if call.is_overtaken() => Evaluation::NotAdmitted { expires_at },
                Ok((Some(Err(error)), _)) => Evaluation::Finished(fail(call, &error, reply)),
                Ok((None, _)) => Evaluation::Finished(fail_timeout(call, reply)),
                Err(panic) => Evaluation::Finished(fail(call, &panic_error(&panic), reply)),
            }
        }
    }

    #[cold]
    fn refuse_unreadable(&self, request: &Request<'_>, error: &Error, reply: &mut Reply) -> Outcome {
        let Ok(scope) = self.scope() else { return Outcome::SessionEnded };
        refuse(&Call::new(&*scope, &request.head, &request.fields, &[], &[]), error, reply);
        Outcome::Refused
    }
}

/// The row of the action that a message names.
pub(super) fn find_action<'r>(matched: &RouteMatch<'r>, head: &Envelope<'_>) -> Option<&'r ActionDescriptor> {
    matched.handler?.actions.iter().find(|action| action.name == head.action)
}

/// Refuses a message, before or in its action.
#[cold]
fn fail<U: User>(mut call: Call<'_, U>, error: &Error, reply: &mut Reply) -> Outcome {
    refuse(&call, error, reply);
    if !call.has_started() {
        return Outcome::Refused;
    }
    // What it says was true of what its caller could do then.
    let (evaluation_epoch, mut side_effects) = (call.evaluation_epoch(), call.take_side_effects());
    if let Some(effects) = &mut side_effects {
        effects.discard();
    }
    Outcome::Completed { has_reply: true, evaluation_epoch, side_effects }
}

/// Refuses a message that took too long.
#[cold]
fn fail_timeout<U: User>(call: Call<'_, U>, reply: &mut Reply) -> Outcome {
    let error = timeout_error(&call);
    fail(call, &error, reply)
}

/// A check that outlives its time is a fault of the server; an action that does is told so.
pub(super) fn timeout_error<U: User>(call: &Call<'_, U>) -> Error {
    match call.unanswered() {
        Some(leaf) => Error::internal("the check took too long").with_leaf(leaf),
        None => Error::timeout(),
    }
}

/// The one place where a refusal is told, to the client and to the log.
#[cold]
pub(super) fn refuse<U: User>(call: &Call<'_, U>, error: &Error, reply: &mut Reply) {
    let id = report(call, error);
    native::refuse(reply, call.head(), error, id.as_deref());
}
