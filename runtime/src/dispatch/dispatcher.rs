//! The dispatcher: turns the text of a frame into the text of its reply. All actions of a consumer are called through it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{Admission, SlotNeed};
use super::authenticate_limiter::AuthenticateLimiter;
use super::outcome::Outcome;
use super::refusal::{fail, fail_timeout, refuse};
use super::report::{panic_error, report};
use super::route_match::RouteMatch;
use crate::consumer::{ActionDescriptor, Consumer, Traversal};
use crate::context::{Authorized, Call, SideEffects};
use crate::dialect::{Dialect, Native};
use crate::error::{Error, Result};
use crate::message::{Envelope, Reply, Request, RequestLimits};
use crate::observe::{ActionTable, RunningAction};
use crate::panic::catch_unwind_future;
use crate::session::{CurrentScope, Session};
use crate::sync::cancelled;
use crate::time::deadline;
use crate::transport::FrameText;

/// The name of the built-in action in messages.
pub(super) const AUTHENTICATE: &str = "authenticate";
/// The name of the built-in action by which clients cancel messages.
pub(crate) const CANCEL: &str = "cancel";

/// Dispatches the messages of one connection.
pub(crate) struct Dispatcher<C: Consumer> {
    pub(crate) session: Arc<Session<C>>,
    pub(crate) request_limits: RequestLimits,
    /// The time limit of an action that has none of its own.
    pub(crate) action_timeout: Duration,
    /// Whether `action_timeout` is what is left of a time limit, which also bounds actions that have their own.
    pub(crate) is_remaining_time: bool,
    /// Whether this dispatcher runs on a thread of the blocking pool, where blocking actions may run.
    pub(super) is_blocking_thread: bool,
    /// Whether [`dispatch`](Dispatcher::dispatch) runs actions that take a slot of the connection.
    pub(super) admission: Admission,
    pub(super) authenticate_limiter: Option<Arc<AuthenticateLimiter>>,
    /// Cancelled by a message to `cancel`. `None` if the endpoint does not allow it. Messages of the in-order queue share one
    /// until one of them is cancelled; each one that takes a slot has its own.
    pub(crate) cancellation: Option<CancellationToken>,
}

impl<C: Consumer> Clone for Dispatcher<C> {
    fn clone(&self) -> Self {
        let Dispatcher {
            session,
            request_limits,
            action_timeout,
            is_remaining_time,
            is_blocking_thread,
            admission,
            authenticate_limiter,
            cancellation,
        } = self;
        Dispatcher {
            session: session.clone(),
            request_limits: *request_limits,
            action_timeout: *action_timeout,
            is_remaining_time: *is_remaining_time,
            is_blocking_thread: *is_blocking_thread,
            admission: *admission,
            authenticate_limiter: authenticate_limiter.clone(),
            cancellation: cancellation.clone(),
        }
    }
}

/// The result of one attempt to evaluate a message and run its action.
enum Attempt {
    Finished(Outcome),
    /// The start gate did not admit the action: rights changed, or the session ended, after the evaluation began.
    /// `expires_at` is when the evaluation would have timed out, or `None` if it did not have to wait.
    NotAdmitted {
        expires_at: Option<Instant>,
        kept_answers: Option<Box<SideEffects>>,
    },
}

impl<C: Consumer> Dispatcher<C> {
    pub(crate) fn new(
        session: Arc<Session<C>>,
        request_limits: RequestLimits,
        action_timeout: Duration,
        max_authenticate_per_minute: u32,
        allows_cancel: bool,
    ) -> Dispatcher<C> {
        let authenticate_limiter =
            C::AUTHENTICATES.then(|| Arc::new(AuthenticateLimiter::new(max_authenticate_per_minute)));
        Dispatcher {
            session,
            request_limits,
            action_timeout,
            is_remaining_time: false,
            is_blocking_thread: false,
            admission: Admission::Undecided,
            authenticate_limiter,
            cancellation: allows_cancel.then(CancellationToken::new),
        }
    }

    /// Dispatches a text frame and writes the reply.
    ///
    /// This function and those that it calls for every message return `async` blocks: an `async fn` stores each parameter
    /// twice, and an idle connection is as large as this future.
    #[expect(clippy::manual_async_fn, reason = "40 bytes per connection")]
    pub(crate) fn dispatch<'s>(
        &'s self,
        text: &'s FrameText,
        reply: &'s mut Reply,
    ) -> impl Future<Output = Outcome> + Send {
        async move {
            self.session.registry.enforce_lease();
            let mut request = Request::default();
            if let Err(error) = Native::read(&mut request, text, self.request_limits) {
                return self.refuse_unreadable(&request, &error, reply);
            }
            if C::AUTHENTICATES && is_authenticate(&request.head) {
                return self.dispatch_authenticate(&request, reply).await;
            }
            if self.cancellation.is_some() && is_cancel(&request.head) {
                return Outcome::Cancel;
            }
            let mut matched = RouteMatch::default();
            matched.find(self.session.consumer().descriptor(), &request.head.route);
            let action = find_action(&matched, &request.head);
            if let Some(action) = action {
                if let Some(need) = SlotNeed::of(action)
                    && self.admission == Admission::Undecided
                {
                    return Outcome::NeedsSlots(need);
                }
                if action.is_blocking && !self.is_blocking_thread {
                    let running = self.begin_action(|table| table.index(&matched.steps, Some(action)));
                    return self.dispatch_blocking(text, reply, self.time_limit(Some(action)), running).await;
                }
            }
            let mut running = self.begin_action(|table| table.index(&matched.steps, action));
            let attempt = running.run(self.evaluate(&request, &matched, reply, self.time_limit(action), None)).await;
            let outcome = match attempt {
                Attempt::Finished(outcome) => outcome,
                Attempt::NotAdmitted { expires_at, kept_answers } => {
                    let evaluation = self.evaluate_after_change(&request, &matched, reply, expires_at, kept_answers);
                    running.run(evaluation).await
                }
            };
            self.finish_action(running, &outcome, reply);
            outcome
        }
    }

    /// Dispatches a text frame in a task of its own. If the session is closed or the message is cancelled before the
    /// action has started, the evaluation ends at once: nothing else would poll it.
    pub(crate) async fn dispatch_until_closed(&self, text: &FrameText, reply: &mut Reply) -> Outcome {
        let mut dispatch = pin!(self.dispatch(text, reply));
        tokio::select! {
            biased;
            outcome = &mut dispatch => outcome,
            () = self.session.send_queue.start_gate().cancelled() => dispatch.await,
            () = cancelled(self.cancellation.as_ref()) => dispatch.await,
        }
    }

    /// Boxed, so that a rare message adds neither to the size of the future of [`dispatch`](Dispatcher::dispatch) nor to its
    /// code.
    #[cold]
    fn dispatch_authenticate<'s>(&'s self, request: &'s Request<'_>, reply: &'s mut Reply) -> BoxFuture<'s, Outcome> {
        Box::pin(async move {
            let mut running = self.begin_action(|_| ActionTable::AUTHENTICATE);
            let outcome = running.run(self.authenticate(request, reply)).await;
            self.finish_action(running, &outcome, reply);
            outcome
        })
    }

    /// Boxed for the same reason as [`dispatch_authenticate`](Dispatcher::dispatch_authenticate).
    #[cold]
    fn dispatch_blocking<'s>(
        &'s self,
        text: &FrameText,
        reply: &'s mut Reply,
        time_limit: Duration,
        mut running: RunningAction<'s>,
    ) -> BoxFuture<'s, Outcome> {
        let text = text.clone();
        Box::pin(async move {
            let outcome = running.run(self.run_blocking(text, reply, time_limit)).await;
            self.finish_action(running, &outcome, reply);
            outcome
        })
    }

    /// Returns the time limit of an action with its checks.
    #[inline]
    pub(super) fn time_limit(&self, action: Option<&ActionDescriptor>) -> Duration {
        match action.and_then(|action| action.timeout) {
            None => self.action_timeout,
            Some(timeout) if self.is_remaining_time => timeout.min(self.action_timeout),
            Some(timeout) => timeout,
        }
    }

    /// Returns the current scope of the session.
    pub(super) fn scope(&self) -> Result<CurrentScope<'_, C::User>> {
        self.session
            .scope()
            .ok_or_else(|| Error::internal("bug: message dispatched before the session was established"))
    }

    /// Parses a message that was parsed successfully before.
    pub(super) fn reparse<'t>(&self, text: &'t str) -> Request<'t> {
        let mut request = Request::default();
        let _ = Native::read(&mut request, text, self.request_limits);
        request
    }

    /// Refuses a message that was parsed before, by the last reply of a stream if `is_stream` is set.
    pub(crate) fn refuse(&self, text: &str, error: &Error, reply: &mut Reply, is_stream: bool) {
        let Ok(scope) = self.scope() else { return };
        let request = self.reparse(text);
        let call = Call::new(&*scope, &request.head, &[], &[], &[]);
        if is_stream {
            let id = report(&call, error);
            Native::refuse(reply, &request.head.echo, error, id.as_deref(), Some(true));
        } else {
            refuse(&call, error, reply);
        }
    }

    /// Evaluates a message again until its action is admitted or the time limit expires. Boxed, because an idle connection
    /// is as large as the future of [`dispatch`](Dispatcher::dispatch).
    #[cold]
    fn evaluate_after_change<'s>(
        &'s self,
        request: &'s Request<'_>,
        matched: &'s RouteMatch<'_>,
        reply: &'s mut Reply,
        expires_at: Option<Instant>,
        mut kept_answers: Option<Box<SideEffects>>,
    ) -> BoxFuture<'s, Outcome> {
        Box::pin(async move {
            let expires_at =
                expires_at.unwrap_or_else(|| Instant::now() + self.time_limit(find_action(matched, &request.head)));
            let (mut overtaken, mut evaluation) = (0, None);
            loop {
                overtaken += 1;
                // Changes that come faster than the message is evaluated wait for it.
                evaluation = evaluation.or_else(|| self.session.registry.pending_raises.wait_for(overtaken));
                // Rights that change continuously must not occupy a thread.
                tokio::task::yield_now().await;
                if self.session.send_queue.start_gate().is_closed() {
                    return Outcome::SessionEnded;
                }
                if self.is_cancelled() {
                    // The caller writes the reply.
                    return Outcome::Refused;
                }
                let remaining = expires_at.saturating_duration_since(Instant::now());
                if remaining.is_zero() {
                    let Ok(scope) = self.scope() else { return Outcome::SessionEnded };
                    let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps);
                    refuse(&call, &Error::timeout(), reply);
                    return Outcome::Refused;
                }
                match self.evaluate(request, matched, reply, remaining, kept_answers.take()).await {
                    Attempt::Finished(outcome) => return outcome,
                    Attempt::NotAdmitted { kept_answers: kept, .. } => kept_answers = kept,
                }
            }
        })
    }

    /// Evaluates a message once and runs its action, within `time_limit`. If the action is not admitted, the message
    /// must be evaluated again with the session's current scope, including arguments, objects and extractors.
    #[expect(clippy::manual_async_fn, reason = "48 bytes per connection")]
    fn evaluate<'s>(
        &'s self,
        request: &'s Request<'_>,
        matched: &'s RouteMatch<'_>,
        reply: &'s mut Reply,
        time_limit: Duration,
        kept_answers: Option<Box<SideEffects>>,
    ) -> impl Future<Output = Attempt> + Send {
        async move {
            // Read before the scope and before any check, so that the start gate detects a change in between.
            let epoch = self.session.send_queue.epoch();
            let Ok(scope) = self.scope() else { return Attempt::Finished(Outcome::SessionEnded) };
            // The answers that an anonymous client got are not those of the user that it has become.
            let kept_answers = match kept_answers {
                Some(kept) if kept.kept_answers.is_anonymous && scope.user().is_some() => {
                    SideEffects::with_kept_answers(kept.kept_answers.without_leaves())
                }
                kept => kept,
            };
            let mut call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
                .with_max_objects(self.request_limits.max_objects)
                .with_session(&self.session)
                .with_gate(self.session.send_queue.start_gate(), epoch)
                .with_cancellation(self.cancellation.as_ref())
                .with_kept_answers(kept_answers)
                .with_authorization_only(matches!(self.admission, Admission::Refused(_)))
                .on_blocking_thread(self.is_blocking_thread);
            Native::begin(reply);
            // The traversal is created in this block because it is large, and dropped in it because the `Drop` of a
            // traversal that timed out may panic.
            let evaluation = async {
                let mut traversal = Traversal::new(&call, reply);
                let mut entry = pin!(self.session.consumer().enter::<C>(&mut traversal, Authorized::root()));
                let entry = poll_fn(|cx| match entry.as_mut().poll(cx) {
                    Poll::Pending if call.is_closed_before_start() => Poll::Ready(Err(Error::denied())),
                    outcome => outcome,
                });
                let mut entry = pin!(deadline(time_limit, entry));
                let outcome = entry.as_mut().await;
                (outcome, if call.is_overtaken() { entry.expires_at() } else { None })
            };
            match catch_unwind_future(evaluation).await {
                Ok((Some(Ok(())), _)) => Attempt::Finished(self.complete(call, request, matched, reply)),
                Ok((Some(Err(_)), expires_at)) if call.is_overtaken() => {
                    Attempt::NotAdmitted { expires_at, kept_answers: call.take_kept_answers() }
                }
                Ok((Some(Err(error)), _)) if error.is_authorized_only() => {
                    Attempt::Finished(self.refuse_at_limit(call, reply))
                }
                Ok((Some(Err(error)), _)) => Attempt::Finished(fail(call, &error, reply)),
                Ok((None, _)) => Attempt::Finished(fail_timeout(call, reply)),
                Err(panic) => Attempt::Finished(fail(call, &panic_error(&panic), reply)),
            }
        }
    }

    /// Completes the reply of an action that has ended.
    #[inline]
    fn complete(
        &self,
        mut call: Call<'_, C::User>,
        request: &Request<'_>,
        matched: &RouteMatch<'_>,
        reply: &mut Reply,
    ) -> Outcome {
        let has_reply = !reply.is_silent();
        if reply.is_stream() {
            if !is_declared_stream(matched, &request.head) {
                let cause = "the reply is a stream, but `IntoReply::STREAMS` of its type is `false`";
                return fail(call, &Error::internal(cause), reply);
            }
            reply.set_stream_head(&request.head.echo, self.time_limit(find_action(matched, &request.head)));
        } else if has_reply {
            Native::finish(reply, &request.head.echo, None);
        }
        let (evaluation_epoch, side_effects) = (call.evaluation_epoch(), call.take_side_effects());
        Outcome::Completed { has_reply, has_started: true, evaluation_epoch, side_effects }
    }

    /// Refuses a message that cannot be parsed.
    #[cold]
    fn refuse_unreadable(&self, request: &Request<'_>, error: &Error, reply: &mut Reply) -> Outcome {
        let Ok(scope) = self.scope() else { return Outcome::SessionEnded };
        let running = self.begin_action(|_| ActionTable::UNMATCHED);
        let call = Call::new(&*scope, &request.head, &request.fields, &[], &[]);
        running.in_scope(|| refuse(&call, error, reply));
        running.finish(error.status());
        Outcome::Refused
    }
}

/// Returns whether a message calls the built-in action. It belongs to the consumer itself, so the route is empty.
pub(super) fn is_authenticate(head: &Envelope<'_>) -> bool {
    head.action == AUTHENTICATE && head.route.is_empty()
}

/// Returns whether a message calls the built-in action `cancel`, of the consumer itself too.
#[inline]
pub(super) fn is_cancel(head: &Envelope<'_>) -> bool {
    head.action == CANCEL && head.route.is_empty()
}

/// Returns the descriptor of the action that a message names, or `None` if the handler has none.
pub(super) fn find_action<'r>(matched: &RouteMatch<'r>, head: &Envelope<'_>) -> Option<&'r ActionDescriptor> {
    matched.handler?.actions.iter().find(|action| action.name == head.action)
}

/// Returns whether the action that a message names has declared that it streams.
#[cold]
fn is_declared_stream(matched: &RouteMatch<'_>, head: &Envelope<'_>) -> bool {
    find_action(matched, head).is_some_and(|action| action.is_stream)
}
