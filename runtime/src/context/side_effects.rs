//! What an action does besides replying: groups that it joins and leaves, publications, changes of its caller's rights, and
//! the end of its connection.
//!
//! Effects are collected while the action runs and take effect, in order, around its reply if the action succeeds.

use std::any::Any;
use std::fmt;

use super::{CloseRequest, Epoch, KeptAnswers, OwnEpochs};
use crate::message::RequestId;
use crate::panic::Contained;

/// A group of any type.
type AnyGroup = Contained<Box<dyn Any + Send>>;

type Effect = Box<dyn FnOnce() + Send>;

/// Reverts an effect of an action that turns out not to be authorized before its reply is sent.
pub(crate) type Undo = Box<dyn FnOnce() + Send>;

/// One effect of an action.
pub(crate) enum SideEffect {
    /// Leaves a group before the reply is sent.
    Leave(Effect),
    /// Joins the group, by a subscription if there is an id. Takes effect as [`Publish`](SideEffect::Publish) does. The
    /// group's permission was evaluated in `evaluation_epoch`.
    Join { group: AnyGroup, id: Option<RequestId>, evaluation_epoch: Epoch, effect: Effect, undo: Undo },
    /// Publishes before the reply is sent, but the event is held on this connection until the reply is out.
    Publish(Effect),
}

/// All that one action does besides replying. Most actions do nothing, and then none is allocated.
#[derive(Default)]
pub(crate) struct SideEffects {
    effects: Vec<SideEffect>,
    /// Groups that the action leaves, wholly or by the subscription of an id.
    departures: Vec<(AnyGroup, Option<RequestId>)>,
    /// The group slots that become free if the action succeeds.
    freed_slots: usize,
    /// Closes the connection after the last reply, whether the action succeeds or not.
    close: Option<CloseRequest>,
    /// Epochs that the action begins itself.
    own_epochs: Option<OwnEpochs>,
    /// The first epoch in which the action has listed the members of a group.
    list_epoch: Option<Epoch>,
    /// The answers of leaves that are evaluated once per message.
    pub(crate) kept_answers: KeptAnswers,
}

impl SideEffects {
    /// Creates them for another evaluation of a message of which answers were kept. Returns `None` if there are none.
    pub(crate) fn with_kept_answers(kept_answers: KeptAnswers) -> Option<Box<SideEffects>> {
        let kept_answers = Some(kept_answers.rewind()).filter(|kept| !kept.is_empty());
        kept_answers.map(|kept_answers| Box::new(SideEffects { kept_answers, ..SideEffects::default() }))
    }

    pub(crate) fn push(&mut self, effect: SideEffect) {
        self.effects.push(effect);
    }

    /// Returns the epochs that the action begins itself, for the handle by which it does so.
    pub(crate) fn own_epochs_handle(&mut self) -> OwnEpochs {
        self.own_epochs.get_or_insert_default().clone()
    }

    /// Returns the epochs that the action has begun itself.
    pub(crate) fn own_epochs(&self) -> Option<&OwnEpochs> {
        self.own_epochs.as_ref()
    }

    /// Records that the action has listed the members of a group, as its caller sees them in this epoch.
    pub(crate) fn record_list(&mut self, epoch: Epoch) {
        self.list_epoch.get_or_insert(epoch);
    }

    /// Returns the first epoch in which the action has listed members.
    pub(crate) fn list_epoch(&self) -> Option<Epoch> {
        self.list_epoch
    }

    /// Closes the connection after the last reply. The first call counts.
    pub(crate) fn close(&mut self, request: CloseRequest) {
        self.close.get_or_insert(request);
    }

    /// Returns whether the connection is to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.close.is_some()
    }

    /// Takes the request to close the connection.
    pub(crate) fn take_close(&mut self) -> Option<CloseRequest> {
        self.close.take()
    }

    /// Returns whether there is nothing to run, and the connection stays open.
    pub(crate) fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.close.is_none()
    }

    /// Drops all effects, and keeps the epochs that the action has begun and the request to close the connection. For an
    /// action that failed.
    pub(crate) fn discard(&mut self) {
        self.effects.clear();
    }

    /// Drops all effects but the publications and the request to close the connection. For an action that has run but whose
    /// caller has lost the right to it: others must not miss what it has stored.
    pub(crate) fn retain_publications(&mut self) {
        self.effects.retain(|effect| matches!(effect, SideEffect::Publish(_)));
    }

    /// Returns whether the action joins that group, by the subscription of `id` if there is one.
    pub(crate) fn is_joining<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        self.effects.iter().any(|effect| effect.joins(group, |known| known == id))
    }

    /// Returns the latest epoch in which a join of that group was authorized, or `None` if the action does not join it.
    pub(crate) fn join_epoch<G: Eq + 'static>(&self, group: &G) -> Option<Epoch> {
        let epochs = self.effects.iter().filter_map(|effect| match effect {
            SideEffect::Join { evaluation_epoch, .. } if effect.joins(group, |_| true) => Some(*evaluation_epoch),
            _ => None,
        });
        epochs.max()
    }

    /// Removes and returns the joins of that group: all of them, or the one by the subscription of `id`. They must be
    /// dropped outside of any lock, because the group's key may run the application's code.
    pub(crate) fn remove_joins<G: Eq + 'static>(&mut self, group: &G, id: Option<&RequestId>) -> Vec<SideEffect> {
        self.effects.extract_if(.., |effect| effect.joins(group, |known| id.is_none() || known == id)).collect()
    }

    /// Records that the action leaves a group, or ends the subscription of `id`, where the session holds that many slots.
    pub(crate) fn depart<G: Eq + Send + 'static>(&mut self, group: G, id: Option<RequestId>, held_slots: usize) {
        let known_slots = match &id {
            _ if self.has_departure(&group, None) => held_slots,
            Some(_) => held_slots * usize::from(self.has_departure(&group, id.as_ref())),
            None => self.departures_from(&group).count(),
        };
        self.freed_slots += held_slots.saturating_sub(known_slots);
        if held_slots > 0 && !self.has_departure(&group, id.as_ref()) {
            self.departures.push((Contained::new(Box::new(group)), id));
        }
    }

    /// Returns the number of slots of a membership that the action ends, or `usize::MAX` if it leaves the group.
    pub(crate) fn ended_slots<G: Eq + 'static>(&self, group: &G) -> usize {
        if self.has_departure(group, None) { usize::MAX } else { self.departures_from(group).count() }
    }

    /// Returns how many group slots become free if the action succeeds.
    pub(crate) fn freed_slots(&self) -> usize {
        self.freed_slots
    }

    /// Returns whether the action ends the membership that it holds as joined, or by the subscription of `id`.
    pub(crate) fn is_leaving<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        self.has_departure(group, None) || id.is_some() && self.has_departure(group, id)
    }

    fn departures_from<'s, G: Eq + 'static>(&'s self, group: &'s G) -> impl Iterator<Item = &'s Option<RequestId>> {
        let from_group = self.departures.iter().filter(move |departure| departure.0.downcast_ref::<G>() == Some(group));
        from_group.map(|departure| &departure.1)
    }

    fn has_departure<G: Eq + 'static>(&self, group: &G, id: Option<&RequestId>) -> bool {
        self.departures_from(group).any(|known| known.as_ref() == id)
    }

    /// Runs the effects that come before the reply.
    pub(crate) fn run_before(&mut self) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                SideEffect::Leave(effect) => effect(),
                after => self.effects.push(after),
            }
        }
    }

    /// Runs the remaining effects and returns what reverts them.
    pub(crate) fn run_after(self) -> Vec<Undo> {
        let mut undos = Vec::new();
        for effect in self.effects {
            match effect {
                SideEffect::Leave(effect) | SideEffect::Publish(effect) => effect(),
                SideEffect::Join { effect, undo, .. } => {
                    effect();
                    undos.push(undo);
                }
            }
        }
        undos
    }
}

impl fmt::Debug for SideEffects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SideEffects").field("effects", &self.effects.len()).finish_non_exhaustive()
    }
}

impl SideEffect {
    fn joins<G: Eq + 'static>(&self, group: &G, matches: impl FnOnce(Option<&RequestId>) -> bool) -> bool {
        match self {
            SideEffect::Join { group: joined, id, .. } => {
                joined.downcast_ref::<G>() == Some(group) && matches(id.as_ref())
            }
            SideEffect::Leave(_) | SideEffect::Publish(_) => false,
        }
    }
}
