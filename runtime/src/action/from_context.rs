//! Parameters that an application makes itself.

use std::future::Future;

use crate::context::{Context, Handler};
use crate::error::Result;

/// A parameter of an action that is made from the context: written `#[extract] caller: Caller`.
///
/// It is extracted after every permission has held and the arguments have been read. Its error is the reply to the message.
/// If the caller's rights change before the action starts, the message is evaluated again and the parameter is extracted
/// again.
///
/// ```
/// use portcullis::{Context, FromContext, Handler, Result};
///
/// /// The language that the client asked for when it connected.
/// struct Language(String);
///
/// impl<H: Handler> FromContext<H> for Language {
///     async fn from_context(_handler: &H, cx: &Context<'_, H::User>) -> Result<Self> {
///         let wanted = cx.scope().headers().get("accept-language");
///         Ok(Language(wanted.and_then(|value| value.to_str().ok()).unwrap_or("en").to_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted for `{H}`",
    label = "not an extractor for `{H}`",
    note = "implement `FromContext<{H}>` for `{Self}`, or remove `#[extract]` to take it from the message"
)]
pub trait FromContext<H: Handler>: Sized + Send {
    /// Makes the parameter.
    fn from_context(handler: &H, cx: &Context<'_, H::User>) -> impl Future<Output = Result<Self>> + Send;
}
