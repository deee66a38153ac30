//! Action parameters that the application extracts from the context.

use std::future::Future;

use crate::context::{Context, Handler};
use crate::error::Result;

/// An action parameter that is created from the [`Context`]: `#[extract] language: Language`.
///
/// Extraction runs after all permissions hold and the arguments are deserialized. If the caller's rights change before the
/// action starts, the message is evaluated again and the parameter is extracted again.
///
/// ```
/// use portcullis::{Context, FromContext, Handler, Result};
///
/// /// The language of the request that opened the connection.
/// struct Language(String);
///
/// impl<H: Handler> FromContext<H> for Language {
///     async fn from_context(_handler: &H, cx: &Context<'_, H::User>) -> Result<Self> {
///         Ok(Language(cx.scope().header("accept-language")?.unwrap_or("en").to_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted for `{H}`",
    label = "not an extractor for `{H}`",
    note = "implement `FromContext<{H}>` for `{Self}`, or remove `#[extract]` to read the parameter from the message"
)]
pub trait FromContext<H: Handler>: Sized + Send {
    /// Extracts the parameter.
    ///
    /// # Errors
    ///
    /// The error is the reply to the message, and the action does not run.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an await if the message is cancelled, for example when the action timeout expires.
    fn from_context(handler: &H, cx: &Context<'_, H::User>) -> impl Future<Output = Result<Self>> + Send;
}
