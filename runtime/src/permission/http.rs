//! Rules that were written for HTTP, as permissions.

use crate::error::{Error, Result};

/// What a rule for HTTP requests may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the answer of a rule",
    label = "neither `bool` nor a `Result` of one",
    note = "return `bool`, or a `Result<bool, E>` whose error converts into `portcullis::Error`"
)]
pub trait RuleAnswer {
    /// As a permission says it.
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

/// Makes a permission of an async function over an HTTP request's [`Parts`](http::request::Parts) and the user, so that
/// a rule which guards HTTP routes guards messages too.
///
/// The function returns `bool`, or a `Result<bool, E>` whose error converts into [`Error`](crate::Error). It is asked
/// about the request that opened the connection: on every message, and at the door, where it has an opinion.
///
/// ```
/// use portcullis::http::request::Parts;
/// use portcullis::{User, consumer, http_permission};
/// # struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Written for an HTTP middleware.
/// async fn may_export(request: &Parts, user: Option<&Member>) -> bool {
///     user.is_some_and(|member| member.staff) && request.headers.contains_key("x-office")
/// }
///
/// http_permission! {
///     /// Staff in the office.
///     pub struct MayExport(Member) = may_export;
/// }
///
/// # struct Reports;
/// #[consumer(user = Member)]
/// impl Reports {
///     #[action(permission = MayExport)]
///     async fn export(&self) {}
/// }
/// ```
#[macro_export]
macro_rules! http_permission {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident($user:ty) = $rule:path;)+) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $name;

        impl<H: $crate::Handler<User = $user>> $crate::Permission<H> for $name {
            async fn has_permission(&self, _: &H, cx: &$crate::Context<'_, $user>) -> $crate::Result<bool> {
                $crate::__private::RuleAnswer::answer($rule(cx.scope().request(), cx.user()).await)
            }

            async fn can_connect(&self, _: &H, cx: &$crate::ConnectContext<'_, $user>) -> $crate::Result<::core::option::Option<bool>> {
                let answer = $rule(cx.scope().request(), cx.user()).await;
                $crate::__private::RuleAnswer::answer(answer).map(::core::option::Option::Some)
            }
        }
    )+ };
}
