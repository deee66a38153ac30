//! Rules: permissions about a connection alone, which serve actions, groups and events.

use std::future::Future;

use super::Permission;
use crate::context::{Handler, PermissionContext, Scope};
use crate::error::Result;

/// A permission about a connection alone: `H` is the handler that it guards, or the consumer of a group or an event.
///
/// One implementation stands as a leaf in the expressions of actions, handlers and routes, of groups (`permission = ..` and
/// `publish = ..`) and of events. What a rule decides about is its arguments: captures of the route in an action's
/// expression, fields of the key in a group's. A rule that needs the application's state is generic over a trait that gives
/// access to it, which the handlers and the consumer implement.
///
/// Implement [`Permission`] instead if the message matters, or if the leaf has an opinion on connecting. A rule has none; in
/// `connect = ..` it is evaluated for the client that connects. A type that implements `Rule` and the trait of the same
/// place, for example `Permission`, for the same handler does not compile there.
///
/// # Events
///
/// The permission of an event is evaluated without waiting. A rule that is not ready at its first poll refuses the event,
/// and so do its errors, whatever operators surround it. Both are logged, except for errors from 400 to 499. So a rule of an
/// event reads what is in memory, for example the user, an extension of the scope, or the consumer's state.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Context, Event, Group, Handler, Result, Rule, Scope, User, consumer, handler};
/// # struct Member { id: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
/// # #[derive(Clone)]
/// # struct Members(std::sync::Arc<Vec<(u32, u32)>>);
/// # #[derive(Event)]
/// # struct Said(String);
/// # struct Chat { rooms: Rooms, members: Members }
/// # struct Rooms { members: Members }
/// /// A handler with the table of room members.
/// trait HasMembers: Handler<User = Member> {
///     fn members(&self) -> &Members;
/// }
/// # impl HasMembers for Chat { fn members(&self) -> &Members { &self.members } }
/// # impl HasMembers for Rooms { fn members(&self) -> &Members { &self.members } }
///
/// /// Holds if the user is a member of the room.
/// struct InRoom(u32);
///
/// impl<H: HasMembers> Rule<H> for InRoom {
///     async fn holds(&self, handler: &H, scope: &Scope<Member>) -> Result<bool> {
///         Ok(scope.user().is_some_and(|member| handler.members().0.contains(&(self.0, member.id))))
///     }
/// }
///
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = "InRoom({0})", publish = members, events(Said))]
/// struct Room(u32);
///
/// #[handler(user = Member, permission = "InRoom({room_id})")]
/// impl Rooms {
///     #[action]
///     async fn enter(&self, cx: &Context<'_, Member>, #[path] room_id: u32) -> Result<()> {
///         cx.join(Room(room_id)).await
///     }
/// }
///
/// #[consumer(user = Member)]
/// impl Chat {
///     #[route("rooms/{room_id}/")]
///     fn rooms(&self) -> &Rooms { &self.rooms }
/// #   #[event(permission = AllowAny)]
/// #   fn said(event: &Said) -> &str { &event.0 }
/// }
/// ```
///
/// # Errors
///
/// Errors refuse as in [`Permission`](Permission#errors).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule for `{H}`",
    label = "not a rule for `{H}`",
    note = "implement `Rule<{H}>` for `{Self}`, or write `impl<H: Handler<User = ..>> Rule<H> for {Self}` to support every handler of that user type"
)]
pub trait Rule<H: Handler>: Send + Sync + 'static {
    /// The headers of the request that opened the connection which the rule reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// Returns whether the rule holds for this connection.
    ///
    /// # Errors
    ///
    /// Refuses; see the [trait documentation](Rule#errors).
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an await if the evaluation is cancelled, for example when a timeout expires.
    fn holds(&self, handler: &H, scope: &Scope<H::User>) -> impl Future<Output = Result<bool>> + Send;
}

/// Marks leaves that implement the trait of their place, for example [`Permission`].
#[derive(Debug)]
pub struct PermissionKind;

/// Marks leaves that implement [`Rule`].
#[derive(Debug)]
pub struct RuleKind;

/// A leaf in an expression of handler `H`, as generated code evaluates it. The compiler infers the marker `K`.
///
/// A blanket impl of [`Permission`] for rules would conflict with those of the built-in permissions, because other crates
/// may implement `Rule` of their handlers for these types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for `{H}`",
    label = "not a permission for `{H}`",
    note = "implement `Permission<{H}>` or `Rule<{H}>` for `{Self}`; an impl for every `H: Handler<User = ..>` applies if `{H}` has that user type, which its attribute names by `user = ..`"
)]
pub trait PermissionLeaf<H: Handler, K>: Send + Sync {
    /// Evaluates the leaf for a message.
    fn has_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> impl Future<Output = Result<bool>> + Send;
}

impl<P: Permission<H>, H: Handler> PermissionLeaf<H, PermissionKind> for P {
    #[inline]
    fn has_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> impl Future<Output = Result<bool>> + Send {
        Permission::has_permission(self, handler, cx)
    }
}

impl<R: Rule<H>, H: Handler> PermissionLeaf<H, RuleKind> for R {
    #[inline]
    fn has_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> impl Future<Output = Result<bool>> + Send {
        self.holds(handler, cx.scope())
    }
}

/// The end of an evaluation that refuses, whatever operators surround the leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;
