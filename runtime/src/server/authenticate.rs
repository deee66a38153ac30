//! From an HTTP request to the user behind it.

use std::future::Future;
use std::pin::Pin;

use http::request::Parts;

use crate::error::Result;

/// An async function from the parts of the HTTP request to the user; `None` is anonymous.
///
/// Every `async fn(&Parts) -> portcullis::Result<Option<U>>` is one, and every closure that returns a future which
/// does not borrow from the parts. An error refuses the connection: with its status where that is a 4xx, else with 500.
pub trait Authenticate<'a, U>: Fn(&'a Parts) -> Self::Running {
    /// The future that it returns.
    type Running: Future<Output = Result<Option<U>>> + Send + 'a;
}

impl<'a, U, F, R> Authenticate<'a, U> for F
where
    F: Fn(&'a Parts) -> R,
    R: Future<Output = Result<Option<U>>> + Send + 'a,
{
    type Running = R;
}

/// The same with its type forgotten.
pub(super) type Authenticator<U> =
    Box<dyn for<'a> Fn(&'a Parts) -> Pin<Box<dyn Future<Output = Result<Option<U>>> + Send + 'a>> + Send + Sync>;

pub(super) fn box_authenticator<U, F>(authenticate: F) -> Authenticator<U>
where
    F: for<'a> Authenticate<'a, U> + Send + Sync + 'static,
{
    Box::new(move |parts| Box::pin(authenticate(parts)))
}
