//! Who may do what: the trait that answers, expressions over it, and the one evaluator.

mod blocking;
mod builtin;
mod evaluation;
mod expression;
mod http;
mod object;
mod object_evaluation;

use std::future::Future;

pub use blocking::{Blocking, BlockingPermission};
pub use builtin::{AllowAny, DenyAll, IsAuthenticated};
pub use evaluation::Evaluation;
pub(crate) use expression::Answers;
pub use expression::{Expr, Expression};
pub use http::RuleAnswer;
pub use object::ObjectPermission;
pub use object_evaluation::ObjectEvaluation;

use crate::context::{ConnectContext, Context, Handler};
use crate::error::Result;

/// A type that says yes or no to a message for the handler `H`.
///
/// It sees the handler it guards, and so that handler's store. One that needs no state of the handler is generic over it.
///
/// ```
/// use portcullis::{Context, Handler, Permission, Result, User};
///
/// struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Staff, wherever they are.
/// struct IsStaff;
///
/// impl<H: Handler<User = Member>> Permission<H> for IsStaff {
///     async fn has_permission(&self, _handler: &H, cx: &Context<'_, Member>) -> Result<bool> {
///         Ok(cx.user().is_some_and(|member| member.staff))
///     }
/// }
/// ```
///
/// It is free of effects: within one expression it is asked at most once, and perhaps not at all. `Ok(false)` refuses
/// with 403. An error refuses too, whatever operators stand around the leaf: with its own status where that is a 4xx,
/// else with 500. So do a panic and a check that outlives the action's time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission for `{H}`",
    label = "not a permission for `{H}`",
    note = "implement `Permission<{H}>` for `{Self}`, or `impl<H: Handler<User = ..>> Permission<H>` for one that fits every handler of that user type"
)]
pub trait Permission<H: Handler>: Send + Sync + 'static {
    /// The captures that [`has_permission`](Permission::has_permission) reads. A mount that does not provide them does
    /// not compile; reading another one is a fault. Default: none.
    const CAPTURES: &'static [&'static str] = &[];

    /// Whether this message may pass.
    fn has_permission(&self, handler: &H, cx: &Context<'_, H::User>) -> impl Future<Output = Result<bool>> + Send;

    /// Whether this connection may be made. `None` is no opinion, the default: then messages are judged one by one.
    fn can_connect(
        &self,
        handler: &H,
        cx: &ConnectContext<'_, H::User>,
    ) -> impl Future<Output = Result<Option<bool>>> + Send {
        let _ = (handler, cx);
        async { Ok(None) }
    }
}
