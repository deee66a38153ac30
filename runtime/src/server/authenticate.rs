//! Authentication of the HTTP request that opens a connection.

use std::future::Future;

use futures_util::future::BoxFuture;
use http::request::Parts;

use crate::error::Result;

/// Authenticates an HTTP request, for [`Endpoint::authenticate`](crate::Endpoint::authenticate).
///
/// It gets the parts of the request and returns the user, or `None` if the connection is anonymous. The trait is
/// implemented for every `async fn(&Parts) -> portcullis::Result<Option<U>>`, and for every closure with that signature
/// whose future does not borrow from the parts. Implement it for a struct that holds what authentication needs, such as a
/// database pool:
///
/// ```standalone_crate
/// use std::collections::HashMap;
///
/// use http::request::Parts;
/// use portcullis::{AllowAny, Authenticate, Error, Result, User, consumer, websocket};
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
/// /// A struct holds what its method needs, here the tokens that are in use.
/// struct Tokens(HashMap<String, String>);
///
/// impl Authenticate<Member> for Tokens {
///     async fn authenticate(&self, parts: &Parts) -> Result<Option<Member>> {
///         let Some(token) = parts.headers.get("authorization") else { return Ok(None) };
///         let name = token.to_str().ok().and_then(|token| self.0.get(token));
///         name.map(|name| Some(Member(name.clone()))).ok_or_else(Error::unauthenticated)
///     }
/// }
///
/// let by_struct = websocket(Chat).authenticate(Tokens(HashMap::new()));
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate connections as `{U}`",
    label = "not a function `async fn(&Parts) -> Result<Option<{U}>>`",
    note = "write `|parts: &Parts| async move {{ .. }}` with what it needs from `parts` read before `async move`, or implement `Authenticate<{U}>` for a struct that holds its state; an async closure that captures state cannot be shared by connections"
)]
pub trait Authenticate<U>: Send + Sync + 'static {
    /// Returns the user of a request, or `None` for an anonymous connection.
    ///
    /// # Errors
    ///
    /// Rejects the handshake; see the [trait documentation](Authenticate#errors).
    fn authenticate(&self, parts: &Parts) -> impl Future<Output = Result<Option<U>>> + Send;
}

#[diagnostic::do_not_recommend]
impl<U, F> Authenticate<U> for F
where
    F: for<'a> AuthenticateFn<'a, U> + Send + Sync + 'static,
{
    fn authenticate(&self, parts: &Parts) -> impl Future<Output = Result<Option<U>>> + Send {
        self(parts)
    }
}

/// A function that authenticates, with the future that it returns.
#[doc(hidden)]
pub trait AuthenticateFn<'a, U>: Fn(&'a Parts) -> Self::Running {
    type Running: Future<Output = Result<Option<U>>> + Send + 'a;
}

impl<'a, U, F, R> AuthenticateFn<'a, U> for F
where
    F: Fn(&'a Parts) -> R,
    R: Future<Output = Result<Option<U>>> + Send + 'a,
{
    type Running = R;
}

/// An [`Authenticate`] with its type erased.
pub(super) trait ErasedAuthenticate<U>: Send + Sync {
    fn authenticate_boxed<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<Option<U>>>;
}

impl<U: 'static, A: Authenticate<U>> ErasedAuthenticate<U> for A {
    fn authenticate_boxed<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<Option<U>>> {
        Box::pin(self.authenticate(parts))
    }
}
