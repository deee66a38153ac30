//! The trait of handlers, over which permissions and extractors are generic.

use super::User;

/// A type with actions. Implemented by `#[handler]` and `#[consumer]` on an impl block of the type.
///
/// Permissions and extractors that several handlers share are generic over this trait:
///
/// ```
/// use portcullis::{Handler, Permission, PermissionContext, Result, User, handler};
///
/// struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Grants staff, on every handler whose user type is `Member`.
/// struct IsStaff;
///
/// impl<H: Handler<User = Member>> Permission<H> for IsStaff {
///     async fn has_permission(&self, _handler: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
///         Ok(cx.user().is_some_and(|member| member.staff))
///     }
/// }
///
/// struct Reports;
///
/// #[handler(user = Member)]
/// impl Reports {
///     #[action(permission = IsStaff)]
///     async fn list(&self) -> Vec<u32> { vec![1, 2] }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[handler]` on an `impl {Self}` block; `#[consumer]` makes one too"
)]
pub trait Handler: Send + Sync + 'static {
    /// The application's user type. A consumer and all handlers below it have the same one.
    type User: User;
}
