//! Permissions made of authorization functions for HTTP requests.

use crate::error::{Error, Result};

/// A type that the function of [`http_permission!`](crate::http_permission) may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the function of `http_permission!` cannot return `{Self}`",
    label = "neither `bool` nor a `Result` of one",
    note = "return `bool`, or a `Result<bool, E>` whose error converts into `portcullis::Error`"
)]
pub trait RuleAnswer {
    /// Converts the return value into the result of a permission.
    fn answer(self) -> Result<bool>;
}

impl RuleAnswer for bool {
    fn answer(self) -> Result<bool> {
        Ok(self)
    }
}

impl<E: Into<Error>> RuleAnswer for Result<bool, E> {
    fn answer(self) -> Result<bool> {
        self.map_err(Into::into)
    }
}

/// Declares a permission that calls an async function with an HTTP request's [`Parts`](http::request::Parts) and the
/// user, so that one function authorizes both HTTP requests and messages.
///
/// The function receives the request that opened the connection, with the headers that the endpoint
/// [keeps](crate::Endpoint::keep_headers). `headers(..)` names those that the function reads: if the endpoint does not keep
/// one of them, the permission is a fault (500), and the log names the header. Other headers that are not kept are missing
/// in the request, so name all of them. The function returns `bool`, or a `Result<bool, E>` whose error converts into
/// [`Error`](crate::Error). It is evaluated per message and when the client connects: its result is the permission's opinion
/// on connecting.
///
/// ```standalone_crate
/// use portcullis::http::request::Parts;
/// use portcullis::{User, consumer, http_permission};
/// # struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// The function that an HTTP middleware uses.
/// async fn may_export(request: &Parts, user: Option<&Member>) -> bool {
///     user.is_some_and(|member| member.staff) && request.headers.contains_key("x-office")
/// }
///
/// http_permission! {
///     /// Grants staff who connect from the office.
///     pub struct MayExport(Member) = may_export, headers("x-office");
/// }
///
/// # struct Reports;
/// #[consumer(user = Member)]
/// impl Reports {
///     #[action(permission = MayExport)]
///     async fn export(&self) {}
/// }
///
/// let endpoint = portcullis::websocket(Reports).keep_headers(["x-office"]);
/// ```
#[macro_export]
macro_rules! http_permission {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident($user:ty) = $rule:path $(, headers($($header:literal),+ $(,)?))?;)+) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $name;

        impl<H: $crate::Handler<User = $user>> $crate::Permission<H> for $name {
            async fn has_permission(&self, _: &H, cx: &$crate::PermissionContext<'_, $user>) -> $crate::Result<bool> {
                $crate::__private::RuleAnswer::answer($rule(cx.scope().__request(&[$($($header),+)?])?, cx.user()).await)
            }

            async fn can_connect(&self, _: &H, cx: &$crate::ConnectContext<'_, $user>) -> $crate::Result<::core::option::Option<bool>> {
                let answer = $rule(cx.scope().__request(&[$($($header),+)?])?, cx.user()).await;
                $crate::__private::RuleAnswer::answer(answer).map(::core::option::Option::Some)
            }
        }
    )+ };
}
