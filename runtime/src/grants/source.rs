//! The trait through which grants are loaded from the application's database.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::cache::GrantCache;
use super::erased_source::ErasedSource;
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::user_grants::UserGrants;
use crate::error::Result;

/// Loads grants from the application's database: what each user may do, and what objects change of it.
///
/// Pass a source to [`Endpoint::grants`](crate::Endpoint::grants). Loaded grants are cached; [`GrantCache`] and
/// [`Connections`](crate::Connections) invalidate them after a change. `Arc<G>` is a source if `G` is.
///
/// ```
/// use portcullis::{GrantSet, GrantSource, ObjectKey, Overwrites, Result, User, UserGrants};
///
/// struct Member { id: u64 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
///
/// struct Roles;
///
/// impl GrantSource<Member> for Roles {
///     async fn load(&self, member: &Member) -> Result<UserGrants> {
///         // An application queries its database for the codenames that the member's roles grant.
///         if member.id == 1 {
///             return Ok(GrantSet::all().into());
///         }
///         Ok(UserGrants { grants: GrantSet::from_names(["chat.can_use_chat"]), roles: vec!["user".to_owned()] })
///     }
///
///     async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
///         // A real source runs one query for all objects. Here guests are denied a codename in every object.
///         let denied = GrantSet::from_names(["chat.can_use_chat"]);
///         Ok(objects.iter().map(|_| Overwrites::new().deny_role("guest", denied.clone())).collect())
///     }
/// }
/// ```
///
/// # Errors
///
/// An error refuses the message whose check needed the grants, as an error of a [`Permission`](crate::Permission) does: with
/// its own status and code if the status is a 4xx, else with 500 and `internal_error`. Errors are not cached: the next check
/// loads again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of grants for users of type `{U}`",
    label = "not a source of grants for `{U}`",
    note = "implement `portcullis::GrantSource<{U}>` for `{Self}`"
)]
pub trait GrantSource<U>: Send + Sync + 'static {
    /// Loads the grants that a user has apart from any object, and the user's roles.
    ///
    /// Called once per connection and user, on the first check of a codename, and again after the grants were forgotten.
    /// If they are forgotten during a call, its result is discarded and `load` is called again; a check whose loads are
    /// overtaken twice finishes on the second one. [`Limits::max_concurrent_loads`](crate::Limits::max_concurrent_loads)
    /// bounds the calls at the same time; users that wait take turns. Connections share calls if the source implements
    /// [`coalesce_key`](GrantSource::coalesce_key).
    ///
    /// # Panics
    ///
    /// A panic is a fault of the check: 500, `internal_error`.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if the check that drives it is cancelled, for example because the action timed out. Another
    /// check that waits for the same grants then calls `load` again, so the method must be safe to repeat.
    fn load(&self, user: &U) -> impl Future<Output = Result<UserGrants>> + Send;

    /// Returns a text that names everything that the result of [`load`](GrantSource::load) depends on, for example the user's
    /// id. Default: `None`, so that each connection loads for itself.
    ///
    /// Connections whose users have equal keys share one call of `load` that is in progress: 100 connections of one user load
    /// once after [`Connections::refresh_all`](crate::Connections::refresh_all). A connection never shares a call that began
    /// before the connection was opened or its grants were last forgotten.
    ///
    /// The key must leave nothing out: if `load` reads the tenant of the user too, the key has to name both, or a user gets
    /// the grants of another one.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use portcullis::{GrantSource, Result, User, UserGrants};
    ///
    /// struct Member { id: String }
    /// # impl User for Member { fn id(&self) -> Cow<'_, str> { self.id.as_str().into() } }
    ///
    /// struct Roles;
    ///
    /// impl GrantSource<Member> for Roles {
    ///     fn coalesce_key<'a>(&'a self, member: &'a Member) -> Option<Cow<'a, str>> {
    ///         Some(member.id.as_str().into())
    ///     }
    ///
    ///     async fn load(&self, member: &Member) -> Result<UserGrants> {
    ///         // Queries the roles of `member.id`.
    ///         # let _ = member;
    ///         Ok(UserGrants::default())
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// A panic is a fault of the check: 500, `internal_error`.
    fn coalesce_key<'a>(&'a self, user: &'a U) -> Option<Cow<'a, str>> {
        let _ = user;
        None
    }

    /// Loads the overwrites of these objects: one entry per object, in the order of `objects`, and [`Overwrites::missing`]
    /// for an object that does not exist. The default implementation returns empty overwrites.
    ///
    /// One call carries up to 1000 distinct objects, collected from all checks that wait for them, and at most four calls
    /// run at a time. The result is cached while a connection uses it, until the object is
    /// [forgotten](GrantCache::forget_object) or the result is too old
    /// ([`Limits::grants_max_age`](crate::Limits::grants_max_age)). If the object is forgotten during a call, it is loaded again.
    ///
    /// # Errors
    ///
    /// An error refuses a message that needs all objects of the call. If the call also carried objects of other messages,
    /// the call is repeated per message, with the objects of that message alone. A result of another length than `objects`
    /// and a panic are faults: 500, `internal_error`.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped once every check that waits for it is cancelled. A later check then calls `overwrites` again,
    /// so the method must be safe to repeat.
    fn overwrites(&self, objects: &[ObjectKey]) -> impl Future<Output = Result<Vec<Overwrites>>> + Send {
        let count = objects.len();
        async move { Ok(vec![Overwrites::new(); count]) }
    }

    /// Wraps the source in a new cache. A [`GrantCache`] returns itself.
    #[doc(hidden)]
    fn into_cache(self) -> GrantCache<U>
    where
        Self: Sized,
    {
        GrantCache::from_erased(Box::new(self))
    }

    /// Wraps a shared source in a new cache. A shared [`GrantCache`] returns a clone of itself.
    #[doc(hidden)]
    fn into_shared_cache(self: Arc<Self>) -> GrantCache<U>
    where
        Self: Sized,
    {
        GrantCache::from_erased(Box::new(self))
    }
}

impl<U> GrantCache<U> {
    /// Creates an empty cache of this source. If the source is a cache already, returns a handle on that cache.
    pub fn new(source: impl GrantSource<U>) -> GrantCache<U> {
        source.into_cache()
    }
}

/// Calls the source directly, without caching.
impl<U: Send + Sync + 'static> GrantSource<U> for GrantCache<U> {
    fn coalesce_key<'a>(&'a self, user: &'a U) -> Option<Cow<'a, str>> {
        self.source().coalesce_key(user)
    }

    async fn load(&self, user: &U) -> Result<UserGrants> {
        self.source().load_user(user).await
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.source().load_overwrites(objects).await
    }

    fn into_cache(self) -> GrantCache<U> {
        self
    }

    fn into_shared_cache(self: Arc<Self>) -> GrantCache<U> {
        (*self).clone()
    }
}

/// Lets the application keep a handle on the source that it gives to an endpoint.
impl<U, G: GrantSource<U>> GrantSource<U> for Arc<G> {
    fn coalesce_key<'a>(&'a self, user: &'a U) -> Option<Cow<'a, str>> {
        (**self).coalesce_key(user)
    }

    fn load(&self, user: &U) -> impl Future<Output = Result<UserGrants>> + Send {
        (**self).load(user)
    }

    fn overwrites(&self, objects: &[ObjectKey]) -> impl Future<Output = Result<Vec<Overwrites>>> + Send {
        (**self).overwrites(objects)
    }

    fn into_cache(self) -> GrantCache<U> {
        G::into_shared_cache(self)
    }

    fn into_shared_cache(self: Arc<Self>) -> GrantCache<U> {
        G::into_shared_cache((*self).clone())
    }
}

impl<U, G: GrantSource<U>> ErasedSource<U> for G {
    fn coalesce_key<'a>(&'a self, user: &'a U) -> Option<Cow<'a, str>> {
        GrantSource::coalesce_key(self, user)
    }

    fn load_user<'a>(&'a self, user: &'a U) -> BoxFuture<'a, Result<UserGrants>> {
        Box::pin(self.load(user))
    }

    fn load_overwrites<'a>(&'a self, objects: &'a [ObjectKey]) -> BoxFuture<'a, Result<Vec<Overwrites>>>
    where
        U: 'a,
    {
        Box::pin(self.overwrites(objects))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::grant_set::GrantSet;
    use super::super::tests::fake_source::{READ, WRITE, keys};
    use super::*;

    struct RoleSource;

    impl GrantSource<()> for RoleSource {
        async fn load(&self, (): &()) -> Result<UserGrants> {
            Ok(GrantSet::from_iter([READ]).into())
        }
    }

    #[test]
    fn default_overwrites_change_nothing() {
        let user = RoleSource.load(&()).now_or_never().unwrap().unwrap();
        let all = RoleSource.overwrites(&keys(&[1, 2, 3])).now_or_never().unwrap().unwrap();
        assert_eq!(all.len(), 3);
        for overwrites in all {
            let grants = overwrites.apply(&user, "7");
            assert!(grants.contains(READ) && !grants.contains(WRITE) && user.roles.is_empty());
        }
    }
}
