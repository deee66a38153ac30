//! Groups as types: the key, the consumer, the permission and the events of a group.

use std::future::Future;
use std::hash::Hash;
use std::marker::PhantomData;
use std::time::SystemTime;

use super::codec::Codec;
use super::event::{Emits, Subscriber};
use super::history::History;
use crate::consumer::{Consumer, LeafHeaders, PublishRule};
#[cfg(feature = "registry")]
use crate::consumer::{GroupRegistration, HistoryRule, PresenceRule};
use crate::context::{Call, GrantKeyList, Handler, Scope, User};
use crate::error::Result;
use crate::grants::Codename;
use crate::permission::{AllowAny, DenyAll, Expression, IsAuthenticated, LeafDefaults, PermissionKind, Rule, RuleKind};

/// A named set of connections of one consumer. The values of the type are the names. Implemented by `#[derive(Group)]`,
/// which has the list of its options.
///
/// Every member has passed the group's permission when it joined, and passes it again when its rights change. An action
/// publishes to the group only if the `publish` expression holds for its caller.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Event, Group, IsAuthenticated, consumer};
/// #[derive(Event)]
/// struct Said { text: String }
///
/// /// The members of a chat room. Frames call room 5 `rooms/5`.
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = IsAuthenticated, publish = members, events(Said), public_name = "rooms/{0}")]
/// struct Room(u32);
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[event(permission = AllowAny)]
///     fn said<'e>(&self, event: &'e Said) -> &'e str {
///         &event.text
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group",
    label = "not a group",
    note = "a group is a value of a type, not a name: declare `struct Room(u32);` with `#[derive(Group)]` and `#[group(consumer = .., permission = .., publish = .., events(..))]`, and write `Room(5)`"
)]
pub trait Group: Clone + Eq + Hash + Send + Sync + Sized + 'static {
    /// The consumer whose connections may join.
    type Consumer: Consumer;

    /// The group itself. By another name, so that a type which is no group is reported as that, and not for its events too.
    #[doc(hidden)]
    type Events;

    /// The name that other machines, logs and the audit know the type by.
    #[doc(hidden)]
    const NAME: &'static str;

    /// The path of the type, for messages.
    #[doc(hidden)]
    const PATH: &'static str;

    /// The hash of the name, the variants, and the fields with their types as written.
    #[doc(hidden)]
    const FINGERPRINT: u64;

    /// The encoding of the key. `None` if the group is local.
    #[doc(hidden)]
    const CODEC: Option<Codec<Self>> = None;

    /// Returns the name of this group in frames, if the type declares one.
    #[doc(hidden)]
    fn public_name(&self) -> Option<String> {
        None
    }

    /// The permission that is evaluated when a connection joins.
    #[doc(hidden)]
    const PERMISSION: &'static Expression;

    /// Evaluates the permission.
    #[doc(hidden)]
    fn authorize_join(
        &self,
        consumer: &Self::Consumer,
        call: &Call<'_, <Self::Consumer as Handler>::User>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Who may publish from an action.
    #[doc(hidden)]
    const PUBLISH: PublishRule;

    /// The headers that the leaves of `permission`, `publish` and `presence` read.
    #[doc(hidden)]
    const HEADERS: LeafHeaders = &[];

    /// Evaluates the expression of [`PUBLISH`](Group::PUBLISH). For [`PublishRule::Members`] this is the permission, which a
    /// membership must pass again after a change of rights.
    #[doc(hidden)]
    fn authorize_publish(
        &self,
        consumer: &Self::Consumer,
        call: &Call<'_, <Self::Consumer as Handler>::User>,
    ) -> impl Future<Output = Result<()>> + Send {
        self.authorize_join(consumer, call)
    }

    /// The expression of `presence`, which decides per pair of viewer and member. `None` if users cannot be listed.
    #[doc(hidden)]
    const PRESENCE: Option<&'static Expression> = None;

    /// Whether members get an event when a user's first connection joins or the last one leaves.
    #[doc(hidden)]
    const ANNOUNCES: bool = false;

    /// How much of the group's events is kept, so that a connection can resume. `None` if nothing is.
    #[doc(hidden)]
    const HISTORY: Option<History> = None;

    /// Returns since when the user of the scope may see events of the history, or `None` if it may see all that is kept.
    #[doc(hidden)]
    fn history_since(
        &self,
        consumer: &Self::Consumer,
        scope: &Scope<<Self::Consumer as Handler>::User>,
    ) -> impl Future<Output = Result<Option<SystemTime>>> + Send {
        let _ = (consumer, scope);
        std::future::ready(Ok(None))
    }

    /// Evaluates the expression of [`PRESENCE`](Group::PRESENCE). `None` if grants must be loaded first.
    #[doc(hidden)]
    fn may_see_member(
        &self,
        consumer: &Self::Consumer,
        viewer: &Subscriber<'_, <Self::Consumer as Handler>::User>,
        member: &<Self::Consumer as Handler>::User,
    ) -> Option<bool> {
        let _ = (consumer, viewer, member);
        Some(false)
    }
}

/// Declares that a group keeps a history. Implemented by `#[derive(Group)]` for groups with `history(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no history",
    label = "`history(..)` is missing in the `#[group(..)]` of this type",
    note = "add `history(events = 100, age = \"10m\", since = AllowAny)`, or the path of an async function instead of `AllowAny`"
)]
pub trait KeepsHistory: Group {}

/// Declares that a group carries events of type `E`. `#[derive(Group)]` has a list of them, `events(..)`.
/// An event can be published only to a group that carries it; see [`Group`] for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not carry `{E}`",
    label = "this group does not carry `{E}`",
    note = "add `{E}` to the `events(..)` of the group"
)]
pub trait Carries<E>: Group<Consumer: Emits<E>> {}

impl<G, E> Carries<E> for G
where
    G: Group<Consumer = <<G as Group>::Events as CarriedEvent<E>>::Consumer>,
    G::Events: CarriedEvent<E>,
{
}

/// Implemented by `#[derive(Group)]` for each type in its `events(..)`. Not bounded by [`Group`], so that a key which lacks
/// a trait, for example `Hash`, is not reported at each event again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not carry `{E}`",
    label = "this group does not carry `{E}`",
    note = "add `{E}` to the `events(..)` of the group"
)]
pub trait CarriedEvent<E> {
    /// The consumer of the group.
    type Consumer: Emits<E>;
}

/// Whether an event of a consumer may leave its machine. With [`UnknownReach`] in scope, an event that the consumer does not
/// send counts as one, because it is reported already.
#[derive(Debug)]
pub struct Reach<C, E>(PhantomData<fn(C, E)>);

impl<C: Emits<E>, E> Reach<C, E> {
    /// Whether it may.
    pub const IS_DISTRIBUTED: bool = C::EVENT_TYPE.is_distributed();
}

/// The reach of events that the consumer does not send.
pub trait UnknownReach {
    /// Always `true`.
    const IS_DISTRIBUTED: bool = true;
}

impl<C, E> UnknownReach for Reach<C, E> {}

/// A permission of a group: decides whether a connection may join a group of type `G`, or publish to it.
///
/// As a leaf of `permission = ..` it is evaluated at every join and when a member's rights change, as a leaf of
/// `publish = ..` when an action publishes. It has access to the consumer, the scope of the connection and the key of the
/// group. Errors refuse, as they do for a [`Permission`](crate::Permission). `C` is the consumer of the group.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Event, Group, GroupPermission, Result, Scope, User, consumer};
/// # struct Member { id: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
/// # #[derive(Event)]
/// # struct Said(String);
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = InRoom, publish = members, events(Said))]
/// struct Room(u32);
///
/// /// Holds if the user is a member of the room.
/// struct InRoom;
///
/// impl GroupPermission<Room, Chat> for InRoom {
///     async fn may_join(&self, chat: &Chat, scope: &Scope<Member>, room: &Room) -> Result<bool> {
///         Ok(scope.user().is_some_and(|member| chat.members.contains(&(room.0, member.id))))
///     }
/// }
///
/// struct Chat { members: Vec<(u32, u32)> }
///
/// # #[consumer(user = Member)]
/// # impl Chat {
/// #     #[event(permission = AllowAny)]
/// #     fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for the group `{G}`",
    label = "not a permission for the group `{G}`",
    note = "implement `GroupPermission<{G}, {C}>` for `{Self}`"
)]
pub trait GroupPermission<G, C: Handler>: Send + Sync + 'static {
    /// The headers of the request that opened the connection which the permission reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// Returns whether the permission holds for this connection: whether it may join the group or, in `publish = ..`,
    /// publish to it.
    fn may_join(&self, consumer: &C, scope: &Scope<C::User>, group: &G) -> impl Future<Output = Result<bool>> + Send;
}

/// A leaf in an expression of a group, as generated code evaluates it. The compiler infers the marker `K`. `C` is bounded by
/// [`Handler`], so that a type which is no consumer is reported at [`Group::Consumer`] and not for each leaf too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for the group `{G}`",
    label = "not a permission for the group `{G}`",
    note = "implement `GroupPermission<{G}, {C}>` or `Rule<{C}>` for `{Self}`"
)]
pub trait GroupLeaf<G, C: Handler, K> {
    /// Returns whether the leaf holds for this connection.
    fn may_join(&self, consumer: &C, scope: &Scope<C::User>, group: &G) -> impl Future<Output = Result<bool>> + Send;
}

impl<P: GroupPermission<G, C>, G, C: Handler> GroupLeaf<G, C, PermissionKind> for P {
    fn may_join(&self, consumer: &C, scope: &Scope<C::User>, group: &G) -> impl Future<Output = Result<bool>> + Send {
        GroupPermission::may_join(self, consumer, scope, group)
    }
}

impl<R: Rule<C>, G, C: Handler> GroupLeaf<G, C, RuleKind> for R {
    fn may_join(&self, consumer: &C, scope: &Scope<C::User>, _: &G) -> impl Future<Output = Result<bool>> + Send {
        self.holds(consumer, scope)
    }
}

/// Has the items with a default of a permission `P` in an expression of group `G`. See [`LeafDefaults`].
#[derive(Debug)]
pub struct GroupLeafOptions<P, G, C>(PhantomData<(P, G, C)>);

impl<P: GroupPermission<G, C>, G, C: Handler> GroupLeafOptions<P, G, C> {
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = P::HEADERS;
}

impl<P, G, C> LeafDefaults for GroupLeafOptions<P, G, C> {}

impl<G: Sync, C: Handler> GroupPermission<G, C> for AllowAny {
    async fn may_join(&self, _: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(true)
    }
}

impl<G: Sync, C: Handler> GroupPermission<G, C> for DenyAll {
    async fn may_join(&self, _: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(false)
    }
}

impl<G: Sync, C: Handler> GroupPermission<G, C> for IsAuthenticated {
    async fn may_join(&self, _: &C, scope: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some())
    }
}

/// Evaluates a codename with the overwrites of the object that a field of the group names.
///
/// # Errors
///
/// The error of the grant source.
pub async fn may_join_on<U: User>(call: &Call<'_, U>, codename: Codename, keys: GrantKeyList) -> Result<bool> {
    call.scope().may_with(codename, &keys).await
}

/// Returns the registration of a group. It has one bound, so that a type with a wrong consumer is reported at the consumer.
#[cfg(feature = "registry")]
#[must_use]
pub const fn group_registration<G: Group>() -> GroupRegistration {
    let presence = match G::PRESENCE {
        Some(permission) => Some(PresenceRule { permission, is_announced: G::ANNOUNCES, is_local: G::CODEC.is_none() }),
        None => None,
    };
    let history = match G::HISTORY {
        Some(History { max_events, max_age, since }) => Some(HistoryRule { max_events, max_age, since }),
        None => None,
    };
    let names = (G::NAME, G::PATH, G::Consumer::NAME);
    GroupRegistration::new(names, G::PERMISSION, G::PUBLISH, presence, history, G::HEADERS)
}
