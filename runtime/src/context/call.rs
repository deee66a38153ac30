//! One message on its way through the levels of a consumer.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::{Context, Scope, StartGate, StartOutcome, Visible};
use crate::error::{Error, Result};
use crate::log::Truncated;
use crate::message::{AnyGroup, DecodedStrings, Envelope, Field, OwnEpochs, RequestId, SideEffect};
use crate::panic::Contained;

/// A named part of a route, and what the message's route has there.
pub(crate) type Capture<'a> = (&'static str, &'a str);

/// What the whole route asks of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go into the route with this id.
    Into(u16),
    /// Nothing below this level matches.
    Lost,
    /// The action is meant for this level.
    Here,
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
    most_objects: usize,
    /// The connection's seat among the groups; none at the door.
    seat: Option<&'a (dyn Any + Send + Sync)>,
    /// What the action does beside answering. Most do nothing of the kind, and then it costs nothing.
    acts: Mutex<Option<Box<Acts>>>,
    /// Whether this thread may be held up.
    may_block: bool,
    /// Whether it is only asked whether it may run.
    only_asks: bool,
    /// Whether the action has begun.
    begun: AtomicBool,
    /// The gate that the action passes before its first poll, and the epoch in which this call is evaluated.
    gate: Option<(&'a StartGate, u64)>,
    /// Whether the gate did not admit the action.
    is_overtaken: AtomicBool,
    /// The leaf whose check ended without an answer, by a panic or because its time was over.
    unanswered: Mutex<Option<&'static str>>,
}

/// What an action does beside answering.
#[derive(Default)]
struct Acts {
    /// What it causes, once it has ended well.
    effects: Vec<SideEffect>,
    left: Left,
    /// What it changes itself of what its caller may do.
    own_changes: Option<OwnEpochs>,
}

/// The groups that an action is about to leave, wholly or by the subscription of an id, and the room that this gives.
#[derive(Default)]
struct Left {
    groups: Vec<(AnyGroup, Option<RequestId>)>,
    places: usize,
}

impl Left {
    fn of<'l, G: Eq + 'static>(&'l self, group: &'l G) -> impl Iterator<Item = &'l Option<RequestId>> {
        let of_it = self.groups.iter().filter(move |left| left.0.downcast_ref::<G>() == Some(group));
        of_it.map(|left| &left.1)
    }

    fn has<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        self.of(group).any(|left| left.as_ref() == id)
    }
}

/// That every expression so far held. Only a check gives one, and nothing reaches an action without one.
#[derive(Debug)]
#[must_use]
pub struct Authorized(());

impl Authorized {
    /// What one starts with in front of the outermost expression.
    pub(crate) fn at_the_door() -> Authorized {
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
            most_objects: 0,
            may_block: false,
            seat: None,
            acts: Mutex::new(None),
            only_asks: false,
            begun: AtomicBool::new(false),
            gate: None,
            is_overtaken: AtomicBool::new(false),
            unanswered: Mutex::new(None),
        }
    }

    /// With so many objects in one parameter at the most.
    #[inline]
    pub(crate) fn with_objects(mut self, most: usize) -> Self {
        self.most_objects = most;
        self
    }

    /// The context as a permission that reads these captures may see it.
    pub fn context(&self, captures: &'static [&'static str]) -> Context<'_, U> {
        Context::new(self, Visible::Only(captures))
    }

    /// The context as the action itself sees it.
    pub fn whole_context(&self) -> Context<'_, U> {
        Context::new(self, Visible::All)
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
    pub(crate) fn with_seat(mut self, seat: &'a (dyn Any + Send + Sync)) -> Self {
        self.seat = Some(seat);
        self
    }

    pub(crate) fn seat(&self) -> Option<&'a (dyn Any + Send + Sync)> {
        self.seat
    }

    /// This happens when the action has ended well.
    pub(crate) fn then(&self, effect: SideEffect) {
        self.acting(|acts| acts.effects.push(effect));
    }

    /// What the action itself changes of what its caller may do.
    pub(crate) fn own_changes(&self) -> OwnEpochs {
        self.acting(|acts| acts.own_changes.get_or_insert_default().clone())
    }

    /// Whether the action is about to join that group, by a subscription if there is an id.
    pub(crate) fn is_joining<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        let acts = self.acts();
        acts.iter().flat_map(|acts| &acts.effects).any(|effect| joins(effect, group, |known| known == id))
    }

    /// What the action has joined of that group before does not happen: all of it, or the subscription of that id.
    pub(crate) fn join_no_more<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) {
        let ends = |effect: &SideEffect| joins(effect, group, |known| id.is_none() || known == id);
        let ended: Vec<SideEffect> = self.acting(|acts| acts.effects.extract_if(.., |effect| ends(effect)).collect());
        // Not under the lock: the group's key may run its own code.
        drop(ended);
    }

    fn acting<T>(&self, act: impl FnOnce(&mut Acts) -> T) -> T {
        act(self.acts().get_or_insert_default())
    }

    fn acts(&self) -> MutexGuard<'_, Option<Box<Acts>>> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The action is about to leave a group, or to end the subscription of that id, of which it keeps so many. Gives room for
    /// what was not left before.
    pub(crate) fn give_back<G: Eq + Send + 'static>(&self, group: G, id: Option<RequestId>, kept: usize) {
        self.acting(|Acts { left, .. }| {
            let before = match &id {
                _ if left.has(&group, None) => kept,
                Some(_) => kept * usize::from(left.has(&group, id.as_ref())),
                None => left.of(&group).count(),
            };
            left.places += kept.saturating_sub(before);
            if kept > 0 {
                left.groups.push((Contained::new(Box::new(group)), id));
            }
        });
    }

    /// How much room for groups there will be once it has ended well.
    pub(crate) fn given_back(&self) -> usize {
        self.acts().as_ref().map_or(0, |acts| acts.left.places)
    }

    /// Whether the action is about to leave what it is in by that subscription, or has joined where there is no id.
    pub(crate) fn is_leaving<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        let leaves = |acts: &Acts| acts.left.has(group, None) || id.is_some() && acts.left.has(group, id);
        self.acts().as_deref().is_some_and(leaves)
    }

    /// What it causes, and what it changes itself of what its caller may do. Asked of every message, so nothing is locked, and
    /// the call, which is larger than 128 bytes, is not moved.
    #[inline]
    pub(crate) fn take_outcome(&mut self) -> (Vec<SideEffect>, Option<OwnEpochs>) {
        let acts = self.acts.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        acts.map(|acts| (acts.effects, acts.own_changes)).unwrap_or_default()
    }

    /// To be asked whether it may run, and no more: every permission on the way, and then nothing.
    pub(crate) fn only_asking(mut self) -> Self {
        self.only_asks = true;
        self
    }

    /// What stands between the last permission and the action. [`Error::authorized_only`] where it was only to be asked.
    #[inline]
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.only_asks {
            return Err(Error::authorized_only());
        }
        self.begun.store(true, Ordering::Relaxed);
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
            StartOutcome::Authorized => Ok(()),
            outcome => self.start_after_change(gate, evaluation_epoch, outcome),
        }
    }

    /// Starts the action if rights have only been changed by this call itself.
    #[cold]
    fn start_after_change(&self, gate: &StartGate, evaluation_epoch: u64, outcome: StartOutcome) -> Result<()> {
        if outcome == StartOutcome::Stale
            && let now = gate.epoch()
            && self.has_changed_rights_alone(evaluation_epoch, now)
            && gate.try_start(Some(now), || self.trace_start()) == StartOutcome::Authorized
        {
            return Ok(());
        }
        self.is_overtaken.store(true, Ordering::Relaxed);
        Err(Error::denied())
    }

    /// Returns whether this call itself began every epoch since `since`, for example in an extractor. It is not evaluated again
    /// for that: it would begin another one each time.
    fn has_changed_rights_alone(&self, since: u64, now: u64) -> bool {
        let own = self.acts().as_ref().and_then(|acts| acts.own_changes.clone());
        own.is_some_and(|own| own.contains_all(since, now))
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
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// On a thread that may be held up.
    #[inline]
    pub(crate) fn on_blocking_thread(mut self, may_block: bool) -> Self {
        self.may_block = may_block;
        self
    }

    pub(crate) fn may_block(&self) -> bool {
        self.may_block
    }

    pub(crate) fn most_objects(&self) -> usize {
        self.most_objects
    }

    pub(crate) fn step(&self, level: usize) -> Step {
        self.steps.get(level).copied().unwrap_or(Step::Lost)
    }

    pub(crate) fn left_unanswered(&self, leaf: &'static str) {
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf);
    }

    pub(crate) fn unanswered(&self) -> Option<&'static str> {
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn joins<G: Eq + 'static>(effect: &SideEffect, group: &G, by: impl Fn(Option<&RequestId>) -> bool) -> bool {
    match effect {
        SideEffect::Join { group: known, id, .. } => known.downcast_ref::<G>() == Some(group) && by(id.as_ref()),
        SideEffect::Before(_) | SideEffect::After(_) => false,
    }
}

impl<U> fmt::Debug for Call<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("head", &self.head).field("captures", &self.captures).finish_non_exhaustive()
    }
}
