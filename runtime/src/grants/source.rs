//! Where grants come from: the application's database, behind one trait.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::cache::GrantCache;
use super::grant_set::GrantSet;
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use crate::error::Result;

/// What a user may do wherever no object says otherwise.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "written out by applications")]
pub struct UserGrants {
    /// What is granted, all of the user's roles together.
    pub grants: GrantSet,
    /// The roles by which [`Overwrites::allow_role`] finds the user.
    pub roles: Vec<String>,
}

impl From<GrantSet> for UserGrants {
    fn from(grants: GrantSet) -> UserGrants {
        UserGrants { grants, roles: Vec::new() }
    }
}

/// The source of grants: what each user may do, and what objects change of it.
///
/// ```
/// use portcullis::{GrantSet, GrantSource, Result, User, UserGrants};
///
/// struct Member { id: u64 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
///
/// struct Roles;
///
/// impl GrantSource<Member> for Roles {
///     async fn load(&self, member: &Member) -> Result<UserGrants> {
///         // A real one asks its database for the names that the member's roles hold.
///         if member.id == 1 {
///             return Ok(GrantSet::all().into());
///         }
///         Ok(UserGrants { grants: GrantSet::from_names(["chat.can_use_chat"]), roles: vec!["user".to_owned()] })
///     }
/// }
/// ```
///
/// An error refuses whoever asked, as an error of a permission does, and is not remembered: the next check asks again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of grants for users of type `{U}`",
    label = "not a source of grants for `{U}`",
    note = "implement `portcullis::Grants<{U}>` for `{Self}`"
)]
pub trait GrantSource<U>: Send + Sync + 'static {
    /// What a user may do wherever no object says otherwise, and the roles by which overwrites find the user.
    ///
    /// Asked once for each connection, on its first check of a codename, and again when it was told to forget.
    fn load(&self, user: &U) -> impl Future<Output = Result<UserGrants>> + Send;

    /// What these objects overwrite: one entry an object, in their order. Default: nothing.
    ///
    /// Asked for up to 1000 objects at once, each of them once, whoever needs them; the answer is kept while a connection
    /// uses it, until it is [forgotten](GrantCache::forget_object). If an answer fails that was asked for the objects of
    /// several messages, each message asks again for its own.
    fn overwrites(&self, objects: &[ObjectKey]) -> impl Future<Output = Result<Vec<Overwrites>>> + Send {
        let count = objects.len();
        async move { Ok(vec![Overwrites::new(); count]) }
    }

    /// The source behind a cache of its own; a cache is one already.
    #[doc(hidden)]
    fn into_cache(self) -> GrantCache<U>
    where
        Self: Sized,
    {
        GrantCache::from_source(self)
    }

    /// The same of one that has several owners.
    #[doc(hidden)]
    fn into_shared_cache(self: Arc<Self>) -> GrantCache<U>
    where
        Self: Sized,
    {
        GrantCache::from_source(self)
    }
}

/// One source for several owners, so that the application keeps a handle on its tables.
impl<U, G: GrantSource<U>> GrantSource<U> for Arc<G> {
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

/// A source of whatever type.
pub(super) trait ErasedSource<U>: Send + Sync {
    fn load_user<'a>(&'a self, user: &'a U) -> BoxFuture<'a, Result<UserGrants>>;
    fn load_overwrites<'a>(&'a self, objects: &'a [ObjectKey]) -> BoxFuture<'a, Result<Vec<Overwrites>>>
    where
        U: 'a;
}

impl<U, G: GrantSource<U>> ErasedSource<U> for G {
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
