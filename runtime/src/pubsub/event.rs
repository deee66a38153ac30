//! Events: what may leave a consumer's sockets, who may see it, and the frame that it becomes.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use serde::Serialize;

use crate::consumer::Consumer;
use crate::context::{GrantKeyList, GrantKeys, Scope, User, collect_keys};
use crate::dialect::native;
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};
use crate::permission::{AllowAny, Answers, DenyAll, Expression, IsAuthenticated};
use crate::transport::Text;

/// That a consumer lets an event out. Written by `#[event]`: a consumer without it never sends that type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may see `{E}`",
    label = "never leaves the sockets of `{Self}`",
    note = "add `#[event(permission = ..)] fn ..(&self, event: &{E}) -> ..` to its `#[consumer]` block"
)]
pub trait Emits<E>: Consumer {
    /// What a frame calls it.
    #[doc(hidden)]
    const NAME: &'static str;

    /// What is asked of each one who would get it.
    #[doc(hidden)]
    const PERMISSION: &'static Expression;

    /// Asks it. `None`: some grants are not known yet.
    #[doc(hidden)]
    fn may_see(&self, seeing: &Subscriber<'_, Self::User>, event: &E) -> Option<bool>;

    /// What it is about: of two that wait for a slow receiver, the newer may stand for both. `None`: for itself alone.
    #[doc(hidden)]
    fn key(&self, event: &E) -> Option<u64> {
        let _ = event;
        None
    }

    /// The frame for everybody, where it is the same for all.
    #[doc(hidden)]
    fn shared(&self, event: &E) -> Option<Result<Frame>> {
        let _ = event;
        None
    }

    /// The frame for one of them.
    #[doc(hidden)]
    fn personal(&self, scope: &Scope<Self::User>, event: &E) -> Option<Result<Frame>> {
        let _ = (scope, event);
        None
    }
}

/// A type that says yes or no to whoever would get an event. It does not wait.
///
/// It sees the consumer, who is connected, and the event. A panic is a no.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may see `{E}`",
    label = "not a permission for `{E}`",
    note = "implement `EventPermission<{E}, {C}>` for `{Self}`; one that has to wait belongs to the group"
)]
pub trait EventPermission<E, C: Consumer>: Send + Sync + 'static {
    /// Whether this connection may see this event.
    fn may_see(&self, consumer: &C, scope: &Scope<C::User>, event: &E) -> bool;
}

impl<E, C: Consumer> EventPermission<E, C> for AllowAny {
    fn may_see(&self, _: &C, _: &Scope<C::User>, _: &E) -> bool {
        true
    }
}

impl<E, C: Consumer> EventPermission<E, C> for DenyAll {
    fn may_see(&self, _: &C, _: &Scope<C::User>, _: &E) -> bool {
        false
    }
}

impl<E, C: Consumer> EventPermission<E, C> for IsAuthenticated {
    fn may_see(&self, _: &C, scope: &Scope<C::User>, _: &E) -> bool {
        scope.user().is_some()
    }
}

/// What an event is about, by one of its fields.
pub fn event_key<K: Hash + ?Sized>(key: &K) -> Option<u64> {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    Some(SEED.get_or_init(RandomState::new).hash_one(key))
}

/// An event on its way, as the text of a frame.
#[derive(Debug, Clone)]
pub struct Frame(pub(crate) Text);

/// The frame of a value.
pub fn frame<T: Serialize + ?Sized>(name: &'static str, data: &T) -> Result<Frame> {
    native::event(name, data).map(Frame).map_err(Error::internal)
}

/// The frame of a value that was made for one subscriber; `None` leaves that one out.
pub fn personal_frame<T: Serialize>(name: &'static str, view: Option<T>) -> Option<Result<Frame>> {
    view.map(|data| frame(name, &data))
}

/// A subscriber looking at an event.
pub struct Subscriber<'a, U> {
    scope: &'a Scope<U>,
    /// What was not known at once. Mostly there is none of it, and then it must cost nothing.
    late: RefCell<Option<Box<DeferredGrants>>>,
}

/// What was asked of a subscriber's grants and not known at once.
#[derive(Default)]
struct DeferredGrants {
    wanted: Vec<(Codename, GrantKeyList)>,
    /// What was loaded for this very question.
    told: Vec<(Codename, GrantKeyList, bool)>,
}

impl<'a, U: User> Subscriber<'a, U> {
    #[inline]
    pub(crate) fn new(scope: &'a Scope<U>) -> Subscriber<'a, U> {
        Subscriber { scope, late: RefCell::new(None) }
    }

    /// Begins to ask an expression.
    pub fn sight(&self, expression: &'static Expression) -> EventEvaluation {
        EventEvaluation { expression, answers: Answers::default(), asking: None, outcome: None }
    }

    /// Who is looking.
    #[inline]
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    /// Asks a codename; `None` where it is not known yet.
    #[inline]
    pub fn may(&self, codename: Codename) -> Option<bool> {
        self.ask(codename, &[])
    }

    /// Asks a codename as the object overwrites it that the event names.
    pub fn may_on<K: GrantKeys>(&self, codename: Codename, object: &K) -> Option<bool> {
        self.ask(codename, &collect_keys(object))
    }

    #[inline]
    fn ask(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        let told = self.late.borrow().as_ref().and_then(|late| late.told(codename, objects));
        let known = told.or_else(|| self.scope.evaluate_cached(codename, objects));
        if known.is_none() {
            self.want(codename, objects);
        }
        known
    }

    #[cold]
    fn want(&self, codename: Codename, objects: &[ObjectKey]) {
        self.late.borrow_mut().get_or_insert_default().wanted.push((codename, objects.iter().cloned().collect()));
    }

    /// Loads what was not known.
    pub(crate) async fn load(&mut self) -> Result<()> {
        let late = self.late.get_mut().get_or_insert_default();
        for (codename, objects) in std::mem::take(&mut late.wanted) {
            let may = self.scope.may_with(codename, &objects).await?;
            late.told.push((codename, objects, may));
        }
        Ok(())
    }
}

impl DeferredGrants {
    fn told(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        self.told.iter().find(|told| told.0 == codename && *told.1 == *objects).map(|told| told.2)
    }
}

impl<U> fmt::Debug for Subscriber<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)
    }
}

/// Yes, no, or not known yet.
type Decision = Option<bool>;

/// One expression being asked about one event for one subscriber.
#[derive(Debug)]
pub struct EventEvaluation {
    expression: &'static Expression,
    answers: Answers,
    asking: Option<u8>,
    /// `None` until the expression is settled.
    outcome: Option<Decision>,
}

impl EventEvaluation {
    /// The leaf to ask now; `None` once the expression is settled.
    #[expect(clippy::should_implement_trait, reason = "an iterator could be collected, leaving answers out")]
    #[inline]
    pub fn next(&mut self) -> Option<u8> {
        match self.expression.tree.judge(&self.answers) {
            ControlFlow::Break(leaf) => {
                self.asking = Some(leaf);
                self.asking
            }
            ControlFlow::Continue(outcome) => {
                self.outcome = Some(outcome);
                None
            }
        }
    }

    /// What the leaf said; `None` where it is not known yet.
    #[inline]
    pub fn tell(&mut self, answer: Option<bool>) {
        if let Some(leaf) = self.asking.take() {
            self.answers.record(leaf, answer);
        }
    }

    /// Whether the event may be seen; `None` where that is not known yet. One that was not asked to its end is a no.
    #[inline]
    pub fn finish(&self) -> Option<bool> {
        self.outcome.unwrap_or(Some(false))
    }
}
