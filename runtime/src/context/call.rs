//! One message on its way through the levels of a consumer.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::{CaptureAccess, Context, Scope, SideEffects, StartGate, StartOutcome};
use crate::error::{Error, Result};
use crate::log::Truncated;
use crate::message::{DecodedStrings, Envelope, Field};

/// A named part of a route, and what the message's route has there.
pub(crate) type Capture<'a> = (&'static str, &'a str);

/// What the whole route asks of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go into the route with this id.
    Route(u16),
    /// Nothing below this level matches.
    NotFound,
    /// The action is meant for this level.
    Action,
}

/// A message with all that was found out about it before the first permission is asked.
pub struct Call<'a, U> {
    scope: &'a Scope<U>,
    head: &'a Envelope<'a>,
    fields: &'a [Field<'a>],
    /// The decoded forms of the fields' strings with escapes that arguments borrow.
    decoded: DecodedStrings,
    captures: &'a [Capture<'a>],
    steps: &'a [Step],
    /// How many objects one parameter may name.
    max_objects: usize,
    /// The connection's seat among the groups; none at the door.
    session: Option<&'a (dyn Any + Send + Sync)>,
    /// What the action does besides replying. `None` for most actions, so that it costs nothing.
    side_effects: Mutex<Option<Box<SideEffects>>>,
    /// Whether this thread may be held up.
    is_blocking_thread: bool,
    /// Whether it is only asked whether it may run.
    is_authorization_only: bool,
    /// Whether the action has begun.
    is_authorized: AtomicBool,
    /// The gate that the action passes before its first poll, and the epoch in which this call is evaluated.
    gate: Option<(&'a StartGate, u64)>,
    /// Whether the gate did not admit the action.
    is_overtaken: AtomicBool,
    /// The leaf whose check ended without an answer, by a panic or because its time was over.
    unanswered: Mutex<Option<&'static str>>,
}

/// That every expression so far held. Only a check gives one, and nothing reaches an action without one.
#[derive(Debug)]
#[must_use]
pub struct Authorized(());

impl Authorized {
    /// What one starts with in front of the outermost expression.
    pub(crate) fn root() -> Authorized {
        Authorized(())
    }
}

pub(crate) type Steps = SmallVec<[Step; 4]>;
pub(crate) type Captures<'a> = SmallVec<[Capture<'a>; 3]>;

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
            is_overtaken: AtomicBool::new(false),
            unanswered: Mutex::new(None),
        }
    }

    /// With so many objects in one parameter at the most.
    #[inline]
    pub(crate) fn with_max_objects(mut self, max_objects: usize) -> Self {
        self.max_objects = max_objects;
        self
    }

    /// The context as a permission that reads these captures may see it.
    pub fn context(&self, captures: &'static [&'static str]) -> Context<'_, U> {
        Context::new(self, CaptureAccess::Declared(captures))
    }

    /// The context as the action itself sees it.
    pub fn whole_context(&self) -> Context<'_, U> {
        Context::new(self, CaptureAccess::All)
    }

    /// The connection.
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    pub(crate) fn head(&self) -> &'a Envelope<'a> {
        self.head
    }

    pub(crate) fn fields(&self) -> &'a [Field<'a>] {
        self.fields
    }

    /// Returns the store of decoded strings, from which arguments borrow.
    pub(crate) fn decoded(&self) -> &DecodedStrings {
        &self.decoded
    }

    pub(crate) fn capture(&self, name: &str) -> Option<&'a str> {
        self.captures.iter().find(|capture| capture.0 == name).map(|capture| capture.1)
    }

    /// With this seat among the groups.
    #[inline]
    pub(crate) fn with_session(mut self, session: &'a (dyn Any + Send + Sync)) -> Self {
        self.session = Some(session);
        self
    }

    pub(crate) fn session(&self) -> Option<&'a (dyn Any + Send + Sync)> {
        self.session
    }

    /// Changes what the action does besides replying.
    pub(crate) fn with_side_effects<T>(&self, change: impl FnOnce(&mut SideEffects) -> T) -> T {
        change(self.lock_side_effects().get_or_insert_default())
    }

    /// Reads what the action does besides replying, if it does anything.
    pub(crate) fn read_side_effects<T>(&self, read: impl FnOnce(&SideEffects) -> T) -> Option<T> {
        self.lock_side_effects().as_deref().map(read)
    }

    fn lock_side_effects(&self) -> MutexGuard<'_, Option<Box<SideEffects>>> {
        self.side_effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the action does besides replying. Called for every message, so nothing is locked, and the call, which is
    /// larger than 128 bytes, is not moved.
    #[inline]
    pub(crate) fn take_side_effects(&mut self) -> Option<Box<SideEffects>> {
        self.side_effects.get_mut().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// To be asked whether it may run, and no more: every permission on the way, and then nothing.
    pub(crate) fn with_authorization_only(mut self) -> Self {
        self.is_authorization_only = true;
        self
    }

    /// What stands between the last permission and the action. [`Error::asked`] where it was only to be asked.
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
    pub(crate) fn with_gate(mut self, gate: &'a StartGate, evaluation_epoch: u64) -> Self {
        self.gate = Some((gate, evaluation_epoch));
        self
    }

    /// The epoch in which this call is evaluated; 0 for one without a gate, which cannot start an action.
    #[inline]
    pub(crate) fn evaluation_epoch(&self) -> u64 {
        self.gate.map_or(0, |(_, epoch)| epoch)
    }

    /// Starts the action: the last thing before its first poll. Fails if rights have changed since this call was evaluated,
    /// or the session has ended.
    #[inline]
    pub(crate) fn start(&self) -> Result<()> {
        let Some((gate, evaluation_epoch)) = self.gate else {
            return Err(Error::internal("bug: an action was reached by a call without a start gate"));
        };
        match gate.try_start(Some(evaluation_epoch), || self.trace_start()) {
            StartOutcome::Admitted => Ok(()),
            outcome => self.start_after_change(gate, evaluation_epoch, outcome),
        }
    }

    /// Starts the action if rights have only been changed by this call itself.
    #[cold]
    fn start_after_change(&self, gate: &StartGate, evaluation_epoch: u64, outcome: StartOutcome) -> Result<()> {
        if outcome == StartOutcome::Stale
            && let now = gate.epoch()
            && self.has_changed_rights_alone(evaluation_epoch, now)
            && gate.try_start(Some(now), || self.trace_start()) == StartOutcome::Admitted
        {
            return Ok(());
        }
        self.is_overtaken.store(true, Ordering::Relaxed);
        Err(Error::denied())
    }

    /// Returns whether this call itself began every epoch since `since`, for example in an extractor. It is not evaluated again
    /// for that: it would begin another one each time.
    fn has_changed_rights_alone(&self, since: u64, now: u64) -> bool {
        let own = self.read_side_effects(|effects| effects.own_epochs().cloned()).flatten();
        own.is_some_and(|own| own.are_all(since, now))
    }

    /// Under the gate, so that a trace orders starts and changes of rights as they happened.
    #[inline]
    fn trace_start(&self) {
        if Level::TRACE <= LevelFilter::current() {
            self.record_start();
        }
    }

    /// Apart, as nearly no message needs it.
    #[cold]
    fn record_start(&self) {
        let Envelope { action, route, .. } = self.head;
        tracing::trace!(action = ?Truncated::new(action), route = ?Truncated::new(route), "action started");
    }

    /// Whether the gate did not admit the action: rights have changed since this call was evaluated, or the session has ended.
    #[inline]
    pub(crate) fn is_overtaken(&self) -> bool {
        self.is_overtaken.load(Ordering::Relaxed)
    }

    /// Whether everything on the way had admitted it.
    #[inline]
    pub(crate) fn is_authorized(&self) -> bool {
        self.is_authorized.load(Ordering::Relaxed)
    }

    /// On a thread that may be held up.
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
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf);
    }

    pub(crate) fn unanswered(&self) -> Option<&'static str> {
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U> fmt::Debug for Call<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("head", &self.head).field("captures", &self.captures).finish_non_exhaustive()
    }
}
