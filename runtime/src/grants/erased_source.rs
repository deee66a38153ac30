//! A grant source of any type.

use std::borrow::Cow;

use futures_util::future::BoxFuture;

use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::user_grants::UserGrants;
use crate::error::Result;

/// The object-safe form of [`GrantSource`](super::GrantSource).
pub(super) trait ErasedSource<U>: Send + Sync {
    fn coalesce_key<'a>(&'a self, user: &'a U) -> Option<Cow<'a, str>>;
    fn load_user<'a>(&'a self, user: &'a U) -> BoxFuture<'a, Result<UserGrants>>;
    fn load_overwrites<'a>(&'a self, objects: &'a [ObjectKey]) -> BoxFuture<'a, Result<Vec<Overwrites>>>
    where
        U: 'a;
}
