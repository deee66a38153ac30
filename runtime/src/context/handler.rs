//! The type that a permission guards.

use super::User;

/// A type whose impl block carries `#[handler]` or `#[consumer]`. Implemented by the attribute.
///
/// Reusable permissions and extractors are generic over it: `impl<H: Handler<User = Member>> Permission<H> for IsStaff`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[handler]` on an `impl {Self}` block; `#[consumer]` makes one too"
)]
pub trait Handler: Send + Sync + 'static {
    /// The application's user type; the same for a consumer and all handlers below it.
    type User: User;
}
