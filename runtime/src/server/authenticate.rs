//! Authentication of the HTTP request that opens a connection.

use std::future::Future;
use std::pin::Pin;

use http::request::Parts;

use crate::error::Result;

/// An async function that authenticates an HTTP request, for [`Endpoint::authenticate`](crate::Endpoint::authenticate).
///
/// It gets the parts of the request and returns the user, or `None` if the connection is anonymous. The trait is
/// implemented for every `async fn(&Parts) -> portcullis::Result<Option<U>>`, and for every closure with that signature
/// whose future does not borrow from the parts:
///
/// ```standalone_crate
/// use http::request::Parts;
/// use portcullis::{AllowAny, Error, Result, User, consumer, websocket};
///
/// struct Member(String);
///
/// impl User for Member {
///     fn id(&self) -> std::borrow::Cow<'_, str> { self.0.as_str().into() }
/// }
///
/// struct Chat;
///
/// #[consumer(user = Member)]
/// impl Chat {
///     #[action(permission = AllowAny)]
///     async fn ping(&self) {}
/// }
///
/// /// Stands for reading a signed token.
/// async fn token_user(parts: &Parts) -> Result<Option<Member>> {
///     let Some(token) = parts.headers.get("authorization") else { return Ok(None) };
///     let name = token.to_str().ok().and_then(|token| token.strip_prefix("Bearer "));
///     name.map(|name| Some(Member(name.to_owned()))).ok_or_else(Error::unauthenticated)
/// }
///
/// let by_function = websocket(Chat).authenticate(token_user);
///
/// let by_closure = websocket(Chat).authenticate(|parts: &Parts| {
///     let name = parts.uri.query().map(str::to_owned);
///     async move { Ok(name.map(Member)) }
/// });
/// ```
///
/// # Errors
///
/// An error rejects the handshake with its status if that is between 400 and 499. Any other error, a panic, and a future
/// that takes longer than [`Limits::action_timeout`](crate::Limits::action_timeout) reject it with 500. The response has
/// no body.
///
/// # Cancel safety
///
/// The future is dropped at its current `.await` when the time limit expires or the server drops the request.
pub trait Authenticate<'a, U>: Fn(&'a Parts) -> Self::Running {
    /// The future that the function returns.
    type Running: Future<Output = Result<Option<U>>> + Send + 'a;
}

impl<'a, U, F, R> Authenticate<'a, U> for F
where
    F: Fn(&'a Parts) -> R,
    R: Future<Output = Result<Option<U>>> + Send + 'a,
{
    type Running = R;
}

/// An [`Authenticate`] function with its type erased.
pub(super) type Authenticator<U> =
    Box<dyn for<'a> Fn(&'a Parts) -> Pin<Box<dyn Future<Output = Result<Option<U>>> + Send + 'a>> + Send + Sync>;

pub(super) fn box_authenticator<U, F>(authenticate: F) -> Authenticator<U>
where
    F: for<'a> Authenticate<'a, U> + Send + Sync + 'static,
{
    Box::new(move |parts| Box::pin(authenticate(parts)))
}
