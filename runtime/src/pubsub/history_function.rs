//! The function of a group's history that returns since when a user may see it.

use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use crate::context::Scope;
use crate::error::{Error, Result};

/// An async function that generated code can call for the key `since` of a history. The references have one lifetime, that of
/// the call, so that the future is a type which the compiler can check for `Send`.
#[diagnostic::on_unimplemented(
    message = "`since` cannot call this function",
    label = "not an async function from `&{G}`, `&{C}` and `&Scope<{U}>` to `Result<SystemTime>`",
    note = "declare it in an impl of `{G}` as `async fn member_since(&self, consumer: &{C}, scope: &Scope<{U}>) -> Result<SystemTime>`, with any name"
)]
pub trait HistoryFunction<'a, G, C, U, R, E> {
    /// Calls the function.
    fn call(&self, group: &'a G, consumer: &'a C, scope: &'a Scope<U>) -> HistoryFuture<'a>
    where
        R: Send + 'a,
        E: Into<Error>;
}

#[diagnostic::do_not_recommend]
impl<'a, F, R, E, G: 'a, C: 'a, U: 'a> HistoryFunction<'a, G, C, U, R, E> for F
where
    F: Fn(&'a G, &'a C, &'a Scope<U>) -> R,
    R: Future<Output = Result<SystemTime, E>>,
{
    fn call(&self, group: &'a G, consumer: &'a C, scope: &'a Scope<U>) -> HistoryFuture<'a>
    where
        R: Send + 'a,
        E: Into<Error>,
    {
        let future = self(group, consumer, scope);
        Box::pin(async move { future.await.map(Some).map_err(Into::into) })
    }
}

/// The future of a history's function. A type that names the function would be reported once more where it is awaited.
pub type HistoryFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<SystemTime>>> + Send + 'a>>;

/// Calls the function of `since`. Each bound is reported alone: an associated type in the first would repeat its error.
#[expect(clippy::needless_pass_by_value, reason = "generated code passes a path")]
pub fn call_history_function<'a, G, C, U, F, R, E>(
    function: F,
    group: &'a G,
    consumer: &'a C,
    scope: &'a Scope<U>,
) -> HistoryFuture<'a>
where
    F: HistoryFunction<'a, G, C, U, R, E>,
    R: Send + 'a,
    E: Into<Error>,
{
    function.call(group, consumer, scope)
}
