//! Permissions: the traits, the built-in types, permission expressions and their evaluation.

mod blocking;
mod builtin;
mod conjunction;
mod evaluation;
mod expression;
mod http;
mod kept_leaves;
mod kleene;
mod leaf_options;
mod object;
mod object_evaluation;
mod rule;
mod single_leaf;

use std::future::Future;

pub use blocking::{Blocking, BlockingPermission};
pub use builtin::{AllowAny, DenyAll, IsAuthenticated};
pub use conjunction::Conjunction;
pub use evaluation::{evaluate, evaluate_connect, evaluate_event, evaluate_strict_connect, event_decision};
pub use expression::{Expr, Expression};
pub use http::{HttpRequest, check_header_names, rule_answer};
pub use kept_leaves::{keep_answer, kept_answer, kept_leaves};
use kleene::Answers;
pub use leaf_options::{
    ConstantAnswer, LeafDefaults, LeafOptions, ObjectLeafOptions, RuleOptions, check_not_constant, check_restricts,
};
pub use object::ObjectPermission;
pub(crate) use object_evaluation::ObjectEvaluation;
pub use object_evaluation::{evaluate_before_loading, evaluate_objects};
pub(crate) use rule::{PermissionKind, Refused, RuleKind};
pub use rule::{PermissionLeaf, Rule};
pub use single_leaf::SingleLeaf;

use crate::context::{ConnectContext, Handler, PermissionContext};
use crate::error::Result;

/// Decides whether a message may reach an action of handler `H`, and whether a client may connect.
///
/// A permission is a leaf of a permission expression: `#[action(permission = IsStaff)]`, or combined with others by `&`,
/// `|` and `!`. It receives the handler it guards, so it can use the handler's state. Make a permission that needs no state
/// generic over `H`, so that every handler of the user type can use it.
///
/// Evaluation has no side effects: within one expression a permission is evaluated at most once, and not at all if the
/// other leaves decide. See [`guide::permissions`](crate::guide::permissions).
///
/// ```
/// use portcullis::{Handler, Permission, PermissionContext, Result, User};
///
/// struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Grants staff, on every handler.
/// struct IsStaff;
///
/// impl<H: Handler<User = Member>> Permission<H> for IsStaff {
///     async fn has_permission(&self, _handler: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
///         Ok(cx.user().is_some_and(|member| member.staff))
///     }
/// }
/// ```
///
/// # Errors
///
/// `Ok(false)` makes the leaf false; an expression that does not hold refuses with 403 (`permission_denied`). An error
/// refuses the message whatever operators surround the leaf: with its own status if that is a 4xx, otherwise with 500
/// (`internal_error`). A panic and a check that exceeds [`Limits::action_timeout`](crate::Limits::action_timeout) refuse
/// with 500.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for `{H}`",
    label = "not a permission for `{H}`",
    note = "implement `Permission<{H}>` for `{Self}`, or write `impl<H: Handler<User = ..>> Permission<H> for {Self}` to support every handler of that user type"
)]
pub trait Permission<H: Handler>: Send + Sync + 'static {
    /// Whether the permission is evaluated again for a message that it has permitted or denied before, because rights have
    /// changed: before the action starts, or while it runs. Default: `true`.
    ///
    /// Set it to `false` if the answer does not depend on the caller's rights, but for example on a quota that each
    /// evaluation uses up, or on state that the action itself changes. The first answer is then kept with the message and
    /// used in every later evaluation; a permission that was skipped the first time is evaluated then. If an anonymous client
    /// authenticates before the action starts, everything is evaluated for its user. The audit marks such leaves. It does
    /// not apply to the permissions of groups and events.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use portcullis::{Permission, PermissionContext, Result, consumer};
    ///
    /// struct Tickets { remaining: AtomicU32 }
    ///
    /// /// Takes one ticket per message.
    /// struct HasTicket;
    ///
    /// impl Permission<Tickets> for HasTicket {
    ///     const REEVALUATE: bool = false;
    ///
    ///     async fn has_permission(&self, tickets: &Tickets, _cx: &PermissionContext<'_, ()>) -> Result<bool> {
    ///         let take = |remaining: u32| remaining.checked_sub(1);
    ///         Ok(tickets.remaining.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok())
    ///     }
    /// }
    ///
    /// #[consumer]
    /// impl Tickets {
    ///     #[action(permission = HasTicket)]
    ///     async fn ride(&self) {}
    /// }
    /// ```
    const REEVALUATE: bool = true;

    /// The headers of the request that opened the connection which the permission reads. Default: none.
    ///
    /// The endpoint [keeps](crate::Endpoint::keep_headers) them for the life of the connection. Reading a header that is
    /// neither listed by a permission of the consumer nor named to the endpoint is a fault (500).
    ///
    /// ```
    /// use portcullis::{Handler, Permission, PermissionContext, Result};
    ///
    /// /// Grants clients that connect through the office's proxy.
    /// struct InOffice;
    ///
    /// impl<H: Handler> Permission<H> for InOffice {
    ///     const HEADERS: &'static [&'static str] = &["x-office"];
    ///
    ///     async fn has_permission(&self, _handler: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
    ///         Ok(cx.scope().header("x-office")?.is_some())
    ///     }
    /// }
    /// ```
    const HEADERS: &'static [&'static str] = &[];

    /// Returns whether this message is permitted.
    ///
    /// # Errors
    ///
    /// Refuses the message; see the [trait documentation](Permission#errors).
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an await if the message is cancelled, for example when the action timeout expires.
    fn has_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Returns whether this client may connect; `None` is no opinion. Default: no opinion, so that every message is
    /// evaluated by itself.
    ///
    /// In an expression, no opinion follows Kleene's logic. A connection is refused only if the expression is false.
    ///
    /// # Errors
    ///
    /// Refuses the connection.
    fn can_connect(
        &self,
        handler: &H,
        cx: &ConnectContext<'_, H::User>,
    ) -> impl Future<Output = Result<Option<bool>>> + Send {
        let _ = (handler, cx);
        async { Ok(None) }
    }
}
