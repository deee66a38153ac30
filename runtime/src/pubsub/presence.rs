//! Presence: which users of a group a viewer may see. The `presence` expression of the group decides per pair of viewer and
//! member, without waiting.

use std::any::type_name;
use std::future::Future;
use std::marker::PhantomData;

use futures_util::FutureExt;

use super::event::{LeafFault, Subscriber};
use super::group::Group;
use crate::context::{Handler, Scope, User};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::observe::Telemetry;
use crate::panic::{Panic, catch_unwind, log_entry};
use crate::permission::{AllowAny, DenyAll, IsAuthenticated, LeafDefaults, PermissionKind, Refused, Rule, RuleKind};
use crate::session::session::Session;

/// A group whose present users can be listed. Implemented by `#[derive(Group)]` for a group with `presence = ..`, see
/// [`Context::present_users`](crate::Context::present_users).
#[diagnostic::on_unimplemented(
    message = "the present users of `{Self}` cannot be listed",
    label = "no `presence` expression says who may see which user",
    note = "write `#[group(.., presence = ..)]` on `{Self}`, with `AllowAny` if everyone may see every user, or with a leaf about viewer and member such as `SharesTeam(member)`"
)]
pub trait Presence: Group {}

/// Decides whether a viewer may see that a user is a member of a group: `#[group(presence = "SharesTeam(member)")]`, where
/// `member` stands for the member's user.
///
/// A leaf without `member` is about the viewer alone: a [`Rule`], a codename, `AllowAny`, `DenyAll` or `IsAuthenticated`.
///
/// The expression is evaluated for each pair of viewer and member, so its leaves must not block, and read only what is in
/// memory. A `Rule` that is not ready when it is first polled hides the member. The arguments of a leaf may name fields of
/// the group's key, as in `SharesTeam(member, {0})`. `C` is the consumer of the group.
///
/// # Errors
///
/// An error or a panic hides the member, whatever operators surround the leaf. Both are logged, except for errors from 400 to
/// 499: one entry per list, and one per pass of announcements over the members of the group, with the number of pairs of viewer
/// and member that they concern. An announcement that has waited for the grants of a viewer has an entry of its own.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Event, Group, MemberPermission, Result, Scope, User, consumer};
/// # struct Member { id: u32, team: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
/// # #[derive(Event)]
/// # struct Said(String);
/// # struct Chat;
/// /// Holds if the viewer and the member are in the same team.
/// struct SharesTeam;
///
/// impl MemberPermission<Chat> for SharesTeam {
///     fn may_see_member(&self, _chat: &Chat, viewer: &Scope<Member>, member: &Member) -> Result<bool> {
///         Ok(viewer.user().is_some_and(|viewer| viewer.team == member.team))
///     }
/// }
///
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), presence = SharesTeam(member))]
/// struct Room(u32);
/// # #[consumer(user = Member)]
/// # impl Chat {
/// #     #[event(permission = AllowAny)]
/// #     fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission about a viewer and a member",
    label = "not a permission about a member",
    note = "implement `MemberPermission<{C}>` for `{Self}`; if it is about the viewer alone, implement `Rule<{C}>` and write it without `member`"
)]
pub trait MemberPermission<C: Handler>: Send + Sync + 'static {
    /// The headers of the request that opened the viewer's connection which the permission reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// Returns whether this viewer may see that `member` is in the group.
    ///
    /// # Errors
    ///
    /// Hides the member; see the [trait documentation](MemberPermission#errors).
    fn may_see_member(&self, consumer: &C, viewer: &Scope<C::User>, member: &C::User) -> Result<bool>;
}

/// A leaf about the viewer alone, as generated code evaluates it. The compiler infers the marker `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule about the viewer of a group's members",
    label = "not a rule for `{C}`",
    note = "implement `Rule<{C}>` for `{Self}`; if it is about the member too, implement `MemberPermission<{C}>` and write `{Self}(member)`"
)]
pub trait ViewerLeaf<C: Handler, K> {
    /// Returns whether the leaf holds for this viewer.
    fn holds_for(&self, consumer: &C, viewer: &Scope<C::User>) -> impl Future<Output = Result<bool>>;
}

impl<R: Rule<C>, C: Handler> ViewerLeaf<C, RuleKind> for R {
    fn holds_for(&self, consumer: &C, viewer: &Scope<C::User>) -> impl Future<Output = Result<bool>> {
        self.holds(consumer, viewer)
    }
}

impl<P: BuiltInLeaf, C: Handler> ViewerLeaf<C, PermissionKind> for P {
    async fn holds_for(&self, _: &C, viewer: &Scope<C::User>) -> Result<bool> {
        Ok(P::holds(viewer.user().is_some()))
    }
}

/// A built-in permission. It is a trait, because a leaf that is neither this nor a [`Rule`] is reported once only if the
/// compiler has two impls to choose from.
pub trait BuiltInLeaf {
    /// Returns whether the permission holds for a viewer that has a user or not.
    fn holds(has_user: bool) -> bool;
}

impl BuiltInLeaf for AllowAny {
    fn holds(_: bool) -> bool {
        true
    }
}

impl BuiltInLeaf for DenyAll {
    fn holds(_: bool) -> bool {
        false
    }
}

impl BuiltInLeaf for IsAuthenticated {
    fn holds(has_user: bool) -> bool {
        has_user
    }
}

/// Returns the answer of a leaf about the viewer, which must be ready at its first poll.
///
/// # Errors
///
/// `Refused` if the leaf fails or is not ready.
pub fn viewer_answer<L, U: User>(
    viewer: &Subscriber<'_, U>,
    _: &L,
    answer: impl Future<Output = Result<bool>>,
) -> Result<Option<bool>, Refused> {
    let unready = || Err(Error::internal("the rule was not ready at its first poll"));
    member_answer::<L, U>(viewer, answer.now_or_never().unwrap_or_else(unready))
}

/// Returns the answer of a leaf about a member.
///
/// # Errors
///
/// `Refused` if the leaf fails.
pub fn member_answer<L, U: User>(viewer: &Subscriber<'_, U>, answer: Result<bool>) -> Result<Option<bool>, Refused> {
    answer.map(Some).map_err(|error| {
        if error.is_fault() {
            viewer.record_fault(LeafFault { leaf: Some(type_name::<L>()), cause: Cause::new(&error) });
        }
        Refused
    })
}

/// Has the items with a default of a member permission `P`. See [`LeafDefaults`].
#[derive(Debug)]
pub struct MemberLeafOptions<P, C>(PhantomData<(P, C)>);

impl<P: MemberPermission<C>, C: Handler> MemberLeafOptions<P, C> {
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = P::HEADERS;
}

impl<P, C> LeafDefaults for MemberLeafOptions<P, C> {}

/// Evaluates the `presence` expression of a group for one viewer and the user of a member, which is hidden if it is `None`.
/// `None` if grants must be loaded first. A fault hides the member, and is added to `hidden`.
pub(super) fn may_see<G: Group>(
    group: &G,
    viewer: &Session<G::Consumer>,
    subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
    member: Option<&<G::Consumer as Handler>::User>,
    hidden: &mut HiddenMembers,
) -> Option<bool> {
    let Some(user) = member else { return Some(false) };
    let answer = catch_unwind(|| group.may_see_member(&viewer.consumer, subscriber, user));
    let fault = subscriber.take_fault().map(|fault| *fault);
    let panicked = |panic: &Panic| LeafFault { leaf: None, cause: Cause::new(&panic.message()) };
    if let Some(LeafFault { leaf, cause }) = answer.as_ref().err().map(panicked).or(fault) {
        hidden.count += 1;
        let user = || viewer.user_id().map(str::to_owned);
        hidden.first.get_or_insert_with(|| (user(), leaf, cause));
    }
    answer.unwrap_or(Some(false))
}

/// The pairs of viewer and member that faults have hidden, for one entry in the log.
#[derive(Default)]
pub(super) struct HiddenMembers {
    count: usize,
    /// The viewer, the leaf and the cause of the first fault.
    first: Option<(Option<String>, Option<&'static str>, Cause)>,
}

impl HiddenMembers {
    /// Logs and counts the faults, if there were any.
    pub(super) fn report<G: Group>(self, telemetry: &Telemetry) {
        let HiddenMembers { count: hidden, first } = self;
        if let Some((user, leaf, cause)) = first {
            let (user, group) = (user.as_deref().map(Truncated::new), G::NAME);
            log_entry!(ERROR, ?user, group, hidden, leaf, ?cause, "members hidden: `presence` expression failed");
            telemetry.record_failure();
        }
    }
}
