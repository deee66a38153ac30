//! One call: a message with what its dispatch has found out about it, passed through the handler tree.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use smallvec::SmallVec;
use tokio_util::sync::CancellationToken;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::rate_state::{RateOutcome, RateState};
use super::{CallSession, Capture, Epoch, Scope, SideEffects, StartGate, StartOutcome, User};
use crate::error::{Error, Result};
use crate::log::Truncated;
use crate::message::{DecodedStrings, Envelope, Field};
use crate::panic::log_entry;
use crate::rate::Rate;
use crate::sync::ignore_poison;

/// What the traversal does at one level of the handler tree, according to the route of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Enter the handler that is mounted under the route with this id.
    Route(u16),
    /// Reply with 404: no route of this level matches.
    NotFound,
    /// Call the action of this level's handler.
    Action,
}

/// A message, its matched route and the state of its authorization. Created before the first permission is evaluated.
pub struct Call<'a, U> {
    scope: &'a Scope<U>,
    head: &'a Envelope<'a>,
    fields: &'a [Field<'a>],
    /// The decoded forms of the fields' strings with escapes that arguments borrow.
    decoded: DecodedStrings,
    captures: &'a [Capture<'a>],
    steps: &'a [Step],
    /// Maximum number of objects that one parameter may name.
    max_objects: usize,
    /// The `Arc<Session<C>>` of the connection, with its type erased. `None` for a call that runs no action and no
    /// `#[connect]`, for example during the handshake.
    session: Option<&'a (dyn CallSession + 'static)>,
    /// The side effects of the action. `None` until the first one, so that an action without any allocates nothing.
    side_effects: Mutex<Option<Box<SideEffects>>>,
    /// Whether the call runs on a thread of the blocking pool, which it may block.
    is_blocking_thread: bool,
    /// Whether the call ends when it is authorized, without running its action.
    is_authorization_only: bool,
    /// Whether all expressions have held.
    is_authorized: AtomicBool,
    /// The gate that the action must pass before its first poll, and the epoch in which this call is evaluated.
    gate: Option<(&'a StartGate, Epoch)>,
    /// Cancelled by a message to `cancel`. `None` if the endpoint does not allow it.
    cancellation: Option<&'a CancellationToken>,
    /// Whether the gate did not admit the action, see [`is_overtaken`](Call::is_overtaken).
    is_overtaken: AtomicBool,
    /// Whether the gate has admitted the action.
    has_started: AtomicBool,
    rate: RateState,
    /// The leaf whose check ended without a result, because it panicked or timed out.
    unanswered: Mutex<Option<&'static str>>,
}

/// Proof that every expression so far has held. Only an evaluation passes it on, and an action cannot be called without it.
#[derive(Debug)]
#[must_use]
pub struct Authorized(());

impl Authorized {
    /// Returns the proof with which a traversal starts, before its outermost expression is evaluated.
    pub(crate) fn root() -> Authorized {
        Authorized(())
    }
}

pub(crate) type Steps = SmallVec<[Step; 4]>;

impl<'a, U> Call<'a, U> {
    #[inline]
    pub(crate) fn new(
        scope: &'a Scope<U>,
        head: &'a Envelope<'a>,
        fields: &'a [Field<'a>],
        captures: &'a [Capture<'a>],
        steps: &'a [Step],
    ) -> Call<'a, U> {
        Call {
            scope,
            head,
            fields,
            decoded: DecodedStrings::default(),
            captures,
            steps,
            max_objects: 0,
            is_blocking_thread: false,
            session: None,
            side_effects: Mutex::new(None),
            is_authorization_only: false,
            is_authorized: AtomicBool::new(false),
            gate: None,
            cancellation: None,
            is_overtaken: AtomicBool::new(false),
            has_started: AtomicBool::new(false),
            rate: RateState::default(),
            unanswered: Mutex::new(None),
        }
    }

    /// Sets the maximum number of objects that one parameter may name. Default: 0.
    #[inline]
    pub(crate) fn with_max_objects(mut self, max_objects: usize) -> Self {
        self.max_objects = max_objects;
        self
    }

    /// Returns the scope of the connection.
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    pub(crate) fn head(&self) -> &'a Envelope<'a> {
        self.head
    }

    /// Returns whether this call stands for a client that connects: there is no message.
    pub(crate) fn is_connect(&self) -> bool {
        self.head.echo.action.is_none()
    }

    pub(crate) fn fields(&self) -> &'a [Field<'a>] {
        self.fields
    }

    /// Returns the store of decoded strings, from which arguments borrow.
    pub(crate) fn decoded(&self) -> &DecodedStrings {
        &self.decoded
    }

    pub(crate) fn captures(&self) -> &'a [Capture<'a>] {
        self.captures
    }

    /// Sets the session, which joins, departures and publications need.
    #[inline]
    pub(crate) fn with_session(mut self, session: &'a (dyn CallSession + 'static)) -> Self {
        self.session = Some(session);
        self
    }

    pub(crate) fn session(&self) -> Option<&'a (dyn CallSession + 'static)> {
        self.session
    }

    /// Calls `change` with the side effects of the action.
    pub(crate) fn with_side_effects<T>(&self, change: impl FnOnce(&mut SideEffects) -> T) -> T {
        change(self.lock_side_effects().get_or_insert_default())
    }

    /// Calls `read` with the side effects of the action. Returns `None` if it has none.
    pub(crate) fn read_side_effects<T>(&self, read: impl FnOnce(&SideEffects) -> T) -> Option<T> {
        self.lock_side_effects().as_deref().map(read)
    }

    fn lock_side_effects(&self) -> MutexGuard<'_, Option<Box<SideEffects>>> {
        ignore_poison(self.side_effects.lock())
    }

    /// Takes the side effects of the action. Called per message, so it takes no lock, and does not move the call, which is
    /// larger than 128 bytes.
    #[inline]
    pub(crate) fn take_side_effects(&mut self) -> Option<Box<SideEffects>> {
        ignore_poison(self.side_effects.get_mut()).take()
    }

    /// Sets the side effects of an earlier evaluation of the same message: the answers that it has kept.
    #[inline]
    pub(crate) fn with_kept_answers(mut self, kept_answers: Option<Box<SideEffects>>) -> Self {
        if let Some(kept) = &kept_answers {
            self.rate = RateState::new(kept.kept_answers.rate);
        }
        self.side_effects = Mutex::new(kept_answers);
        self
    }

    /// Takes what another evaluation of the message has to know: the answers of leaves that are evaluated once per message,
    /// and what the rate of the action has decided. Discards the side effects.
    #[cold]
    pub(crate) fn take_kept_answers(&mut self) -> Option<Box<SideEffects>> {
        let mut kept_answers = self.take_side_effects().map(|effects| effects.kept_answers).unwrap_or_default();
        kept_answers.is_anonymous = self.scope.user().is_none();
        kept_answers.rate = self.rate.outcome();
        SideEffects::with_kept_answers(kept_answers)
    }

    /// Counts the message by the rate of its action, see [`RateState::check`].
    ///
    /// # Errors
    ///
    /// 429 if the client exceeds the rate.
    pub(crate) fn check_rate(&self, rate: &'static Rate) -> Result<()>
    where
        U: User,
    {
        self.rate.check(rate, self.scope, self.session, self.is_authorization_only)
    }

    /// Returns whether the message is refused because its client exceeds the rate of the action.
    pub(crate) fn is_over_rate(&self) -> bool {
        self.rate.outcome() == RateOutcome::Exceeded
    }

    /// Sets whether the call ends when it is authorized: all permissions are evaluated, and the action does not run.
    /// Default: `false`.
    #[inline]
    pub(crate) fn with_authorization_only(mut self, is_authorization_only: bool) -> Self {
        self.is_authorization_only = is_authorization_only;
        self
    }

    /// Marks the call as authorized. Called after the last permission and before the action.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::authorized_only`] if the call is to end here.
    #[inline]
    pub(crate) fn finish_authorization(&self) -> Result<()> {
        if self.is_authorization_only {
            return Err(Error::authorized_only());
        }
        self.is_authorized.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Sets the gate that the action must pass and the epoch in which this call is evaluated.
    #[inline]
    pub(crate) fn with_gate(mut self, gate: &'a StartGate, evaluation_epoch: Epoch) -> Self {
        self.gate = Some((gate, evaluation_epoch));
        self
    }

    /// Sets what cancels this call alone.
    #[inline]
    pub(crate) fn with_cancellation(mut self, cancellation: Option<&'a CancellationToken>) -> Self {
        self.cancellation = cancellation;
        self
    }

    #[inline]
    fn is_cancelled(&self) -> bool {
        self.cancellation.is_some_and(CancellationToken::is_cancelled)
    }

    /// Returns the epoch in which this call is evaluated. 0 if the call has no gate: it cannot start an action.
    #[inline]
    pub(crate) fn evaluation_epoch(&self) -> Epoch {
        self.gate.map_or(Epoch::default(), |(_, epoch)| epoch)
    }

    /// Starts the action. Must be the last step before the action's first poll.
    ///
    /// # Errors
    ///
    /// Fails if rights have changed since this call was evaluated, if the session has ended, or if the call was cancelled.
    #[inline]
    pub(crate) fn start(&self) -> Result<()> {
        if self.is_cancelled() {
            self.is_overtaken.store(true, Ordering::Relaxed);
            return Err(Error::denied());
        }
        let Some((gate, evaluation_epoch)) = self.gate else {
            return Err(Error::internal("bug: action started by a call without a start gate"));
        };
        match gate.try_start(Some(evaluation_epoch), || self.trace_start()) {
            StartOutcome::Admitted => {
                self.has_started.store(true, Ordering::Relaxed);
                Ok(())
            }
            outcome => self.start_after_change(gate, evaluation_epoch, outcome),
        }
    }

    /// Starts the action if every change of rights since the evaluation was made by this call itself.
    #[cold]
    fn start_after_change(&self, gate: &StartGate, evaluation_epoch: Epoch, outcome: StartOutcome) -> Result<()> {
        if outcome == StartOutcome::Stale
            && let now = gate.epoch()
            && self.has_changed_rights_alone(evaluation_epoch, now)
            && gate.try_start(Some(now), || self.trace_start()) == StartOutcome::Admitted
        {
            self.has_started.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.is_overtaken.store(true, Ordering::Relaxed);
        Err(Error::denied())
    }

    /// Returns whether this call itself began every epoch since `since`, for example in an extractor. Such a call is not
    /// evaluated again: each evaluation would begin another epoch.
    fn has_changed_rights_alone(&self, since: Epoch, now: Epoch) -> bool {
        let own = self.read_side_effects(|effects| effects.own_epochs().cloned()).flatten();
        own.is_some_and(|own| own.are_all(since, now))
    }

    /// Traces the start. Called under the lock of the gate, so that the trace has starts and changes of rights in order.
    #[inline]
    fn trace_start(&self) {
        if Level::TRACE <= LevelFilter::current() {
            self.record_start();
        }
    }

    /// A separate cold function, because it runs only at level `TRACE`.
    #[cold]
    fn record_start(&self) {
        let Envelope { action, route, .. } = self.head;
        log_entry!(TRACE, action = ?Truncated::new(action), route = ?Truncated::new(route), "action started");
    }

    /// Returns whether the session has ended, or the call was cancelled, before the action has started. The call counts as
    /// overtaken then: there is no need to wait for its checks.
    #[inline]
    pub(crate) fn is_closed_before_start(&self) -> bool {
        let is_closed = !self.has_started.load(Ordering::Relaxed)
            && (self.gate.is_some_and(|(gate, _)| gate.is_closed()) || self.is_cancelled());
        if is_closed {
            self.is_overtaken.store(true, Ordering::Relaxed);
        }
        is_closed
    }

    /// Returns a future that completes when the action is to stop early, or `None` if the call runs no action.
    pub(crate) fn cancelled(&self) -> Option<impl Future<Output = ()> + Send + use<U>> {
        let (gate, _) = self.gate?;
        let (session, own) = (gate.cancelled(), self.cancellation.cloned());
        Some(async move {
            match own {
                Some(own) => tokio::select! {
                    () = session => {}
                    () = own.cancelled_owned() => {}
                },
                None => session.await,
            }
        })
    }

    /// Returns whether the gate did not admit the action: rights have changed since this call was evaluated, or the session
    /// has ended.
    #[inline]
    pub(crate) fn is_overtaken(&self) -> bool {
        self.is_overtaken.load(Ordering::Relaxed)
    }

    /// Returns whether the gate has admitted the action.
    pub(crate) fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Relaxed)
    }

    /// Returns whether all expressions have held.
    #[inline]
    pub(crate) fn is_authorized(&self) -> bool {
        self.is_authorized.load(Ordering::Relaxed)
    }

    /// Sets whether the call runs on a thread of the blocking pool. Default: `false`.
    #[inline]
    pub(crate) fn on_blocking_thread(mut self, is_blocking_thread: bool) -> Self {
        self.is_blocking_thread = is_blocking_thread;
        self
    }

    pub(crate) fn is_blocking_thread(&self) -> bool {
        self.is_blocking_thread
    }

    pub(crate) fn max_objects(&self) -> usize {
        self.max_objects
    }

    pub(crate) fn step(&self, level: usize) -> Step {
        self.steps.get(level).copied().unwrap_or(Step::NotFound)
    }

    pub(crate) fn record_unanswered(&self, leaf: &'static str) {
        *ignore_poison(self.unanswered.lock()) = Some(leaf);
    }

    pub(crate) fn unanswered(&self) -> Option<&'static str> {
        *ignore_poison(self.unanswered.lock())
    }
}

impl<U> fmt::Debug for Call<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("head", &self.head).field("captures", &self.captures).finish_non_exhaustive()
    }
}
