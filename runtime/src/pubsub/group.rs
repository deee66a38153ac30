//! Groups as types: a key, a consumer, a permission, and the events that they carry.

use std::future::Future;
use std::hash::Hash;

use super::event::Emits;
use crate::consumer::Consumer;
use crate::context::{Call, GrantKeys, Handler, Scope, User};
use crate::error::Result;
use crate::grants::Codename;
use crate::permission::{AllowAny, DenyAll, Expression, IsAuthenticated};

/// A named set of connections: a type whose values are the names. Implemented by `#[derive(Group)]`.
///
/// Its members are connections of one consumer. Each has passed the group's permission when it joined.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group",
    label = "not a group",
    note = "put `#[derive(Group)]` and `#[group(consumer = .., permission = .., events(..))]` on it"
)]
pub trait Group: Clone + Eq + Hash + Send + Sync + Sized + 'static {
    /// Whose connections may join.
    type Consumer: Consumer;

    /// The type's name.
    #[doc(hidden)]
    const NAME: &'static str;

    /// What frames call this very group, where clients may know.
    #[doc(hidden)]
    fn public_name(&self) -> Option<String> {
        None
    }

    /// What is asked of whoever joins.
    #[doc(hidden)]
    const PERMISSION: &'static Expression;

    /// Asks it.
    #[doc(hidden)]
    fn may_join(
        &self,
        consumer: &Self::Consumer,
        call: &Call<'_, <Self::Consumer as Handler>::User>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// That a group carries an event. Implemented by `#[derive(Group)]`, for each type in its `events(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not carry `{E}`",
    label = "this group does not carry `{E}`",
    note = "add `{E}` to the `events(..)` of the group"
)]
pub trait Carries<E>: Group<Consumer: Emits<E>> {}

/// A type that says yes or no to whoever wants to join a group.
///
/// It sees the consumer, and so its store, who is connected, and the group's key. It is asked at every join. Errors refuse,
/// as they do for a [`Permission`](crate::Permission).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may join `{G}`",
    label = "not a permission for the group `{G}`",
    note = "implement `GroupPermission<{G}, {C}>` for `{Self}`"
)]
pub trait GroupPermission<G, C: Consumer>: Send + Sync + 'static {
    /// Whether this connection may join this group.
    fn may_join(&self, consumer: &C, scope: &Scope<C::User>, group: &G) -> impl Future<Output = Result<bool>> + Send;
}

impl<G: Sync, C: Consumer> GroupPermission<G, C> for AllowAny {
    async fn may_join(&self, _: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(true)
    }
}

impl<G: Sync, C: Consumer> GroupPermission<G, C> for DenyAll {
    async fn may_join(&self, _: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(false)
    }
}

impl<G: Sync, C: Consumer> GroupPermission<G, C> for IsAuthenticated {
    async fn may_join(&self, _: &C, scope: &Scope<C::User>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some())
    }
}

/// Asks a codename as the object that a group's field names overwrites it.
pub fn may_join_on<U: User, K: GrantKeys>(
    call: &Call<'_, U>,
    codename: Codename,
    object: &K,
) -> impl Future<Output = Result<bool>> + Send {
    let (scope, keys) = (call.scope(), crate::context::collect_keys(object));
    async move { scope.may_with(codename, &keys).await }
}
