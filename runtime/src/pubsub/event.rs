//! Events: which types a consumer sends, the permission of each, and the frame that it is encoded as.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use futures_util::FutureExt;
use serde::Serialize;

use super::coalescing_key::{KeyEquality, KeyHash, KeyQuery};
use super::event_type::EventType;
use crate::broker::Undeliverable;
use crate::consumer::{Consumer, EventDescriptor, LeafHeaders, ReceiveEvent};
use crate::context::{GrantKeyList, GrantKeys, Scope, User, collect_keys};
use crate::dialect::{Dialect, Native};
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};
use crate::log::Cause;
use crate::panic::log_entry;
use crate::permission::{
    AllowAny, DenyAll, Expression, IsAuthenticated, LeafDefaults, PermissionKind, Refused, Rule, RuleKind,
};
use crate::transport::FrameText;

/// Declares that a consumer sends events of type `E`. Implemented by `#[event]`; a consumer without it never sends that
/// type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[event]` method for `{E}`",
    label = "`{Self}` does not send this event",
    note = "add `#[event(permission = ..)] fn ..(&self, event: &{E}) -> ..` to its `#[consumer]` block"
)]
pub trait Emits<E>: Consumer {
    /// The name of the event in frames.
    #[doc(hidden)]
    const NAME: &'static str;

    /// The permission that is evaluated for each subscriber.
    #[doc(hidden)]
    const PERMISSION: &'static Expression;

    /// The headers that the leaves of the permission read.
    #[doc(hidden)]
    const HEADERS: LeafHeaders = &[];

    /// The type of the event.
    #[doc(hidden)]
    const EVENT_TYPE: EventType<E>;

    /// Delivers an event of another machine.
    #[doc(hidden)]
    const RECEIVE: ReceiveEvent = |_, _| Err(Undeliverable::UnknownType);

    /// The descriptor of the event.
    #[doc(hidden)]
    const EVENT: EventDescriptor = Self::EVENT_TYPE.descriptor(
        <Self as Emits<E>>::NAME,
        <Self as Emits<E>>::PERMISSION,
        <Self as Emits<E>>::HEADERS,
        <Self as Emits<E>>::RECEIVE,
    );

    /// Evaluates the permission. `None` if grants must be loaded first.
    #[doc(hidden)]
    fn authorize_event(&self, subscriber: &Subscriber<'_, Self::User>, event: &E) -> Option<bool>;

    /// Passes the coalescing key to `query`. `None` if the event has none.
    #[doc(hidden)]
    fn query_coalescing_key<Q: KeyQuery<E>>(query: Q) -> Option<Q::Answer> {
        let _ = query;
        None
    }

    /// Returns the hash of the coalescing key: a newer queued event with an equal key may replace an older one. `None` if
    /// the event replaces no other.
    #[doc(hidden)]
    fn coalescing_hash(&self, event: &E) -> Option<u64> {
        Self::query_coalescing_key(KeyHash(event)).flatten()
    }

    /// Returns whether the coalescing keys of two events are equal.
    #[doc(hidden)]
    fn has_equal_key(event: &E, other: &E) -> bool {
        Self::query_coalescing_key(KeyEquality(event, other)).unwrap_or(false)
    }

    /// Encodes the frame, if it is the same for all subscribers.
    #[doc(hidden)]
    fn shared_frame(&self, event: &E) -> Option<Result<Frame>> {
        let _ = event;
        None
    }

    /// Encodes the frame for one subscriber.
    #[doc(hidden)]
    fn personal_frame(&self, scope: &Scope<Self::User>, event: &E) -> Option<Result<Frame>> {
        let _ = (scope, event);
        None
    }
}

/// A permission of an event: decides per subscriber whether an event of type `E` is delivered.
///
/// It is evaluated when the event is delivered, for every subscriber, with access to the consumer, the subscriber's scope
/// and the event. It must not block. A panic refuses the event. A check that has to wait belongs to the group's permission
/// ([`GroupPermission`](crate::GroupPermission)).
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{Event, EventPermission, Scope, User, consumer};
/// # struct Member { muted: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
/// # #[derive(Event)]
/// # struct Said(String);
/// # struct Chat;
/// /// Holds if the subscriber is not muted.
/// struct NotMuted;
///
/// impl EventPermission<Said, Chat> for NotMuted {
///     fn may_see(&self, _chat: &Chat, scope: &Scope<Member>, _event: &Said) -> bool {
///         scope.user().is_some_and(|member| !member.muted)
///     }
/// }
///
/// #[consumer(user = Member)]
/// impl Chat {
///     #[event(permission = NotMuted)]
///     fn said<'e>(&self, event: &'e Said) -> &'e str {
///         &event.0
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for the event `{E}`",
    label = "not a permission for the event `{E}`",
    note = "implement `EventPermission<{E}, {C}>` for `{Self}`"
)]
pub trait EventPermission<E, C: Consumer>: Send + Sync + 'static {
    /// The headers of the request that opened the connection which the permission reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// Returns whether this subscriber may see the event.
    fn may_see(&self, consumer: &C, scope: &Scope<C::User>, event: &E) -> bool;
}

/// A leaf in the expression of an event, as generated code evaluates it. The compiler infers the marker `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for the event `{E}`",
    label = "not a permission for the event `{E}`",
    note = "implement `EventPermission<{E}, {C}>` or `Rule<{C}>` for `{Self}`; a check that has to wait belongs to the permission of the group"
)]
pub trait EventLeaf<E, C: Consumer, K> {
    /// Returns whether this subscriber may see the event.
    fn may_see(&self, consumer: &C, scope: &Scope<C::User>, event: &E) -> Result<Option<bool>, Refused>;
}

impl<P: EventPermission<E, C>, E, C: Consumer> EventLeaf<E, C, PermissionKind> for P {
    #[inline]
    fn may_see(&self, consumer: &C, scope: &Scope<C::User>, event: &E) -> Result<Option<bool>, Refused> {
        Ok(Some(EventPermission::may_see(self, consumer, scope, event)))
    }
}

impl<R: Rule<C>, E, C: Consumer> EventLeaf<E, C, RuleKind> for R {
    #[inline]
    fn may_see(&self, consumer: &C, scope: &Scope<C::User>, _: &E) -> Result<Option<bool>, Refused> {
        match self.holds(consumer, scope).now_or_never() {
            Some(Ok(holds)) => Ok(Some(holds)),
            Some(Err(error)) => Err(refuse_after_error::<R>(&error)),
            None => Err(refuse_unready::<R>()),
        }
    }
}

#[cold]
fn refuse_after_error<R>(error: &Error) -> Refused {
    if error.status().is_server_error() {
        log_entry!(ERROR, rule = std::any::type_name::<R>(), cause = ?Cause::new(error), "event refused: rule failed");
    }
    Refused
}

#[cold]
fn refuse_unready<R>() -> Refused {
    log_entry!(
        ERROR,
        rule = std::any::type_name::<R>(),
        "event refused: rule waits; a rule of an event must be ready at its first poll"
    );
    Refused
}

/// Has the items with a default of a permission `P` in the expression of event `E`. See [`LeafDefaults`].
#[derive(Debug)]
pub struct EventLeafOptions<P, E, C>(PhantomData<(P, E, C)>);

impl<P: EventPermission<E, C>, E, C: Consumer> EventLeafOptions<P, E, C> {
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = P::HEADERS;
}

impl<P, E, C> LeafDefaults for EventLeafOptions<P, E, C> {}

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

/// An encoded event.
#[derive(Debug, Clone)]
pub struct Frame(pub(crate) FrameText);

/// Encodes an event.
///
/// # Errors
///
/// 500 if the payload cannot be serialized.
pub fn encode_frame<T: Serialize + ?Sized>(name: &'static str, data: &T) -> Result<Frame> {
    Native::encode_event(name, data).map(Frame).map_err(Error::internal)
}

/// Encodes the payload for one subscriber. `None` skips the subscriber.
pub fn encode_personal_frame<T: Serialize>(name: &'static str, view: Option<T>) -> Option<Result<Frame>> {
    view.map(|data| encode_frame(name, &data))
}

/// A subscriber for which an event's permission is evaluated.
pub struct Subscriber<'a, U> {
    scope: &'a Scope<U>,
    /// The grants that were not loaded when they were needed. Boxed, because there are mostly none.
    deferred: RefCell<Option<Box<DeferredGrants>>>,
    /// The fault of a leaf of `presence`. Boxed, because there is mostly none.
    fault: Cell<Option<Box<LeafFault>>>,
}

/// A fault of a leaf that hides a member of a group.
pub(super) struct LeafFault {
    /// `None` if it is not known which leaf it was.
    pub(super) leaf: Option<&'static str>,
    pub(super) cause: Cause,
}

/// Grants that an evaluation needs and that have to be loaded.
#[derive(Default)]
struct DeferredGrants {
    /// What has to be loaded.
    missing: Vec<(Codename, GrantKeyList)>,
    /// The results that were loaded for this evaluation.
    loaded: Vec<(Codename, GrantKeyList, bool)>,
}

impl<'a, U: User> Subscriber<'a, U> {
    #[inline]
    pub(crate) fn new(scope: &'a Scope<U>) -> Subscriber<'a, U> {
        Subscriber { scope, deferred: RefCell::new(None), fault: Cell::new(None) }
    }

    /// Returns the subscriber's scope.
    #[inline]
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    /// Evaluates a codename. `None` if the grants must be loaded first.
    #[inline]
    pub fn may(&self, codename: Codename) -> Option<bool> {
        self.evaluate(codename, &[])
    }

    /// Evaluates a codename with the overwrites of an object. `None` if the grants must be loaded first.
    pub fn may_on<K: GrantKeys>(&self, codename: Codename, object: &K) -> Option<bool> {
        self.evaluate(codename, &collect_keys(object))
    }

    #[inline]
    fn evaluate(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        let loaded = self.deferred.borrow().as_ref().and_then(|deferred| deferred.loaded(codename, objects));
        let known = loaded.or_else(|| self.scope.evaluate_cached(codename, objects));
        if known.is_none() {
            self.record_missing(codename, objects);
        }
        known
    }

    #[cold]
    fn record_missing(&self, codename: Codename, objects: &[ObjectKey]) {
        self.deferred.borrow_mut().get_or_insert_default().missing.push((codename, objects.iter().cloned().collect()));
    }

    /// Records a fault, which ends the evaluation for one member.
    pub(super) fn record_fault(&self, fault: LeafFault) {
        self.fault.set(Some(Box::new(fault)));
    }

    pub(super) fn take_fault(&self) -> Option<Box<LeafFault>> {
        self.fault.take()
    }

    /// Loads the grants that were missing.
    ///
    /// # Errors
    ///
    /// The error of the grant source.
    pub(crate) async fn load(&mut self) -> Result<()> {
        let deferred = self.deferred.get_mut().get_or_insert_default();
        for (codename, into_object_evaluation) in std::mem::take(&mut deferred.missing) {
            let may = self.scope.may_with(codename, &into_object_evaluation).await?;
            deferred.loaded.push((codename, into_object_evaluation, may));
        }
        Ok(())
    }
}

impl DeferredGrants {
    fn loaded(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        self.loaded.iter().find(|row| row.0 == codename && *row.1 == *objects).map(|row| row.2)
    }
}

impl<U> fmt::Debug for Subscriber<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)
    }
}
