//! What the user of a connection has been granted: asked by codename, as it is or as one object overwrites it.

use std::future::Future;

use smallvec::SmallVec;

use super::{Call, ConnectContext, Context, Scope, User};
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};

/// A type that says which object it is, or is the id of, so that the object's overwrites can be found.
///
/// ```
/// use portcullis::{GrantKey, ObjectKey};
///
/// #[derive(serde::Deserialize)]
/// struct ChannelId(u64);
///
/// impl GrantKey for ChannelId {
///     fn grant_key(&self) -> ObjectKey { ObjectKey::new("channel", self.0) }
/// }
/// ```
///
/// With it an action takes `channel: ChannelId` and asks for `uploads.read(channel)`. An `Option` that is `None`, and a
/// list without entries, ask for the plain codename; of a list, every entry must say yes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which object it is",
    label = "no object of its own to look up grants for",
    note = "implement `GrantKey` for `{Self}`, or leave the parentheses out to ask for the plain codename"
)]
pub trait GrantKey {
    /// The object.
    fn grant_key(&self) -> ObjectKey;
}

/// The objects that a parameter names, mostly one.
pub(crate) type GrantKeyList = SmallVec<[ObjectKey; 1]>;

/// A parameter that names objects.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which object it is",
    label = "no object of its own to look up grants for",
    note = "implement `GrantKey` for `{Self}`, or leave the parentheses out to ask for the plain codename"
)]
pub trait GrantKeys {
    /// Adds the objects' keys.
    fn for_each_key(&self, add: &mut dyn FnMut(ObjectKey));
}

impl<T: GrantKey> GrantKeys for T {
    fn for_each_key(&self, add: &mut dyn FnMut(ObjectKey)) {
        add(self.grant_key());
    }
}

impl<T: GrantKey> GrantKeys for Option<T> {
    fn for_each_key(&self, add: &mut dyn FnMut(ObjectKey)) {
        if let Some(one) = self {
            one.for_each_key(add);
        }
    }
}

impl<T: GrantKey> GrantKeys for Vec<T> {
    fn for_each_key(&self, add: &mut dyn FnMut(ObjectKey)) {
        for one in self {
            one.for_each_key(add);
        }
    }
}

pub(crate) fn collect_keys<K: GrantKeys + ?Sized>(parameter: &K) -> GrantKeyList {
    let mut keys = GrantKeyList::new();
    parameter.for_each_key(&mut |key| keys.push(key));
    keys
}

impl<U: User> Scope<U> {
    /// Whether the user was granted it. Nobody grants anything to an anonymous connection.
    async fn may(&self, codename: Codename) -> Result<bool> {
        // Asked max_objects often of all, and mostly answered by this.
        if let (Some(_), Some(grants)) = (self.user(), self.grants())
            && let Some(is_granted) = grants.evaluate_cached(codename)
        {
            return Ok(is_granted);
        }
        match self.granted()? {
            Some((user, grants)) => grants.evaluate(user, codename).await,
            None => Ok(false),
        }
    }

    /// Whether the user was granted it for each of these objects; without any, the plain codename.
    async fn may_on(&self, codename: Codename, objects: &[ObjectKey]) -> Result<bool> {
        let Some((user, grants)) = self.granted()? else { return Ok(false) };
        match objects {
            [] => self.may(codename).await,
            [only] => match grants.evaluate_cached_on(codename, only) {
                Some(is_granted) => Ok(is_granted),
                None => grants.evaluate_on(user, &user.id(), codename, objects).await,
            },
            several => grants.evaluate_on(user, &user.id(), codename, several).await,
        }
    }

    /// The answer where it is known already; an anonymous connection's always is.
    #[inline]
    pub(crate) fn evaluate_cached(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        // Nobody's are held for an anonymous connection.
        let Some(grants) = self.grants() else { return Some(false) };
        if objects.is_empty() {
            return grants.evaluate_cached(codename);
        }
        let mut cached = objects.iter().map(|object| grants.evaluate_cached_on(codename, object));
        cached.try_fold(true, |all, is_granted| Some(all & is_granted?))
    }

    /// Loads what it takes to answer.
    pub(crate) async fn may_with(&self, codename: Codename, objects: &[ObjectKey]) -> Result<bool> {
        self.may_on(codename, objects).await
    }

    /// Whether the user may have a role: what was loaded says so, or says nothing of roles.
    pub(crate) fn may_have_role(&self, role: &str) -> bool {
        self.user().is_some() && self.grants().is_none_or(|grants| grants.may_have_role(role))
    }

    /// Forgets the grants that were loaded for this connection, those for objects included: the next check loads them anew.
    ///
    /// For an action that has changed what its own caller may do, and asks for it itself. Events that wait, groups, and what
    /// runs beside are told by [`Connections`](crate::Connections) only.
    pub fn forget_grants(&self) {
        if let Ok(Some((_, grants))) = self.granted() {
            grants.forget();
        }
    }
}

impl<U: User> Call<'_, U> {
    /// Asks a codename.
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }

    /// Asks a codename as these objects overwrite it.
    pub(crate) async fn may_with(&self, codename: Codename, objects: &[ObjectKey]) -> Result<bool> {
        self.scope().may_on(codename, objects).await
    }
}

impl<U: User> ConnectContext<'_, U> {
    /// Whether the user was granted this codename. Fails as the source does.
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }
}

impl<U: User> Context<'_, U> {
    /// Whether the user was granted this codename: the same as a leaf `chat.can_use_chat` asks. Nobody grants anything
    /// to an anonymous connection. Fails as the source does: a 4xx of its own stays one, anything else is a fault.
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }

    /// Whether the user was granted this codename as the object overwrites it: the same as a leaf
    /// `uploads.read(channel)` asks. Fails as the source does.
    pub fn may_on<K: GrantKeys + ?Sized>(
        &self,
        codename: Codename,
        object: &K,
    ) -> impl Future<Output = Result<bool>> + Send {
        let (scope, keys) = (self.scope(), collect_keys(object));
        async move { scope.may_on(codename, &keys).await }
    }
}

/// Asks a codename as the object that a parameter names overwrites it.
pub fn may_on<U: User, K: GrantKeys>(
    call: &Call<'_, U>,
    codename: Codename,
    object: &K,
) -> impl Future<Output = Result<Option<bool>>> + Send {
    let (scope, keys, max_objects) = (call.scope(), collect_keys(object), call.most_objects());
    async move {
        if keys.len() > max_objects {
            return Err(Error::too_many_objects(max_objects));
        }
        scope.may_on(codename, &keys).await.map(Some)
    }
}
