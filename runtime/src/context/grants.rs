//! Evaluates codenames for the user of a connection, with or without an object's overwrites.

use std::future::Future;

use smallvec::SmallVec;

use super::{Call, ConnectContext, PermissionContext, Scope, User};
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};

/// A type that identifies an object, so that the object's [`Overwrites`](crate::Overwrites) apply.
///
/// If an action has a parameter `channel: ChannelId`, the permission `uploads.read(channel)` evaluates the codename for that
/// object. An `Option` that is `None` and an empty list evaluate the codename without an object. For a list, the codename
/// must be granted for every entry.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not identify an object",
    label = "no `GrantKey` to look up grants with",
    note = "implement `GrantKey` for `{Self}`, or remove the parentheses to evaluate the codename without an object"
)]
pub trait GrantKey {
    /// Returns the key of the object.
    fn grant_key(&self) -> ObjectKey;
}

/// The keys of the objects that a parameter names, usually one.
pub(crate) type GrantKeyList = SmallVec<[ObjectKey; 1]>;

/// A parameter that names any number of objects: a [`GrantKey`], or an `Option` or `Vec` of one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not identify an object",
    label = "no `GrantKey` to look up grants with",
    note = "implement `GrantKey` for `{Self}`, or remove the parentheses to evaluate the codename without an object"
)]
pub trait GrantKeys {
    /// Calls `add` with the key of each object.
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

/// Returns the keys of the objects that a parameter names.
pub fn collect_keys<K: GrantKeys + ?Sized>(parameter: &K) -> GrantKeyList {
    let mut keys = GrantKeyList::new();
    parameter.for_each_key(&mut |key| keys.push(key));
    keys
}

impl<U: User> Scope<U> {
    /// Evaluates a codename without an object. Anonymous connections have no grants.
    async fn may(&self, codename: Codename) -> Result<bool> {
        // The fast path: a user with cached grants.
        if let (Some(_), Some(grants)) = (self.user(), self.grants())
            && let Some(is_granted) = grants.evaluate_cached(codename)
        {
            return Ok(is_granted);
        }
        match self.user_grants()? {
            Some((user, grants)) => grants.evaluate(user, &user.id(), codename).await,
            None => Ok(false),
        }
    }

    /// Evaluates a codename for all of these objects, or without an object if the list is empty. Loads what is missing.
    pub(crate) async fn may_with(&self, codename: Codename, objects: &[ObjectKey]) -> Result<bool> {
        let Some((user, grants)) = self.user_grants()? else { return Ok(false) };
        match objects {
            [] => self.may(codename).await,
            [only] => match grants.evaluate_cached_on(codename, only) {
                Some(is_granted) => Ok(is_granted),
                None => grants.evaluate_on(user, &user.id(), codename, objects).await,
            },
            several => grants.evaluate_on(user, &user.id(), codename, several).await,
        }
    }

    /// Evaluates a codename for all of these objects from cached grants. Returns `None` if something has to be loaded, which
    /// is never the case for an anonymous connection.
    #[inline]
    pub(crate) fn evaluate_cached(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        // An anonymous connection has no grants.
        let Some(grants) = self.grants() else { return Some(false) };
        if objects.is_empty() {
            return grants.evaluate_cached(codename);
        }
        let mut cached = objects.iter().map(|object| grants.evaluate_cached_on(codename, object));
        cached.try_fold(true, |all, is_granted| Some(all & is_granted?))
    }

    /// Returns whether the user may have a role: it is among the loaded roles, no roles were loaded, or nothing is cached.
    pub(crate) fn may_have_role(&self, role: &str) -> bool {
        self.user().is_some() && self.grants().is_none_or(|grants| grants.may_have_role(role))
    }

    /// Returns whether something may have been evaluated about this object.
    pub(crate) fn has_evaluated(&self, object: &ObjectKey) -> bool {
        self.grants().is_some_and(|grants| grants.has_evaluated(object))
    }

    /// Loads the grants again, while checks use the current ones, see `ConnectionGrants::find_changes`. An anonymous
    /// connection has none.
    ///
    /// # Errors
    ///
    /// The error of the grant source.
    pub(crate) async fn find_changes(&self) -> Result<(bool, Vec<ObjectKey>)> {
        match (self.user(), self.grants()) {
            (Some(user), Some(grants)) => grants.find_changes(user, &user.id()).await,
            _ => Ok((false, Vec::new())),
        }
    }

    /// Forgets the grants cached for this connection, including those for objects: the next check loads them again.
    ///
    /// Intended for an action that changes its caller's grants and evaluates codenames afterwards. Queued events, groups and
    /// running actions are not revalidated; [`Connections`](crate::Connections) does that.
    ///
    /// ```
    /// use portcullis::{Context, Result, User};
    ///
    /// portcullis::permissions! {
    ///     uploads { write = "Uploads files" }
    /// }
    ///
    /// async fn promote<U: User>(cx: &Context<'_, U>) -> Result<bool> {
    ///     // .. store the new role, then:
    ///     cx.scope().forget_grants();
    ///     cx.may(uploads::write).await
    /// }
    /// ```
    pub fn forget_grants(&self) {
        if let Ok(Some((_, grants))) = self.user_grants() {
            grants.forget();
        }
    }
}

impl<U: User> Call<'_, U> {
    /// Evaluates a codename without an object.
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }

    /// Evaluates a codename for all of these objects.
    pub(crate) async fn may_with(&self, codename: Codename, objects: &[ObjectKey]) -> Result<bool> {
        self.scope().may_with(codename, objects).await
    }
}

impl<U: User> ConnectContext<'_, U> {
    /// Returns whether the user is granted this codename. An anonymous connection is granted nothing.
    ///
    /// # Errors
    ///
    /// Returns the error of the [`GrantSource`](crate::GrantSource), and a fault (500, `internal_error`) if the endpoint has
    /// no source.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe. Cancelling it does not affect other checks that wait for the same grants.
    ///
    /// ```
    /// use portcullis::{ConnectContext, Error, Result, User};
    ///
    /// portcullis::permissions! {
    ///     chat { connect = "Connects to the chat" }
    /// }
    ///
    /// async fn check<U: User>(cx: &ConnectContext<'_, U>) -> Result<()> {
    ///     if cx.may(chat::connect).await? { Ok(()) } else { Err(Error::denied()) }
    /// }
    /// ```
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }
}

impl<U: User> PermissionContext<'_, U> {
    /// Returns whether the user is granted this codename: the same decision as that of a permission leaf such as
    /// `chat.can_use_chat`. An anonymous connection is granted nothing.
    ///
    /// # Errors
    ///
    /// Returns the error of the [`GrantSource`](crate::GrantSource): a 4xx keeps its status and code, anything else is a
    /// fault (500, `internal_error`). Also a fault if the endpoint has no source.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe. Cancelling it does not affect other checks that wait for the same grants.
    ///
    /// ```
    /// use portcullis::{Context, Result, User};
    ///
    /// portcullis::permissions! {
    ///     chat { moderate = "Moderates the chat" }
    /// }
    ///
    /// async fn page_size<U: User>(cx: &Context<'_, U>) -> Result<u32> {
    ///     Ok(if cx.may(chat::moderate).await? { 500 } else { 50 })
    /// }
    /// ```
    pub async fn may(&self, codename: Codename) -> Result<bool> {
        self.scope().may(codename).await
    }

    /// Returns whether the user is granted this codename for the object, whose overwrites apply: the same decision as that
    /// of a permission leaf such as `uploads.read(channel)`.
    ///
    /// An `Option` that is `None` and an empty `Vec` evaluate the codename without an object. For a longer `Vec`, the
    /// codename must be granted for every entry.
    ///
    /// # Errors
    ///
    /// As for [`may`](PermissionContext::may).
    ///
    /// # Cancel safety
    ///
    /// The returned future is cancel safe, as that of [`may`](PermissionContext::may) is.
    ///
    /// ```
    /// use portcullis::{Context, GrantKey, ObjectKey, Result, User};
    ///
    /// portcullis::permissions! {
    ///     uploads { read = "Sees uploads" }
    /// }
    ///
    /// struct ChannelId(u64);
    ///
    /// impl GrantKey for ChannelId {
    ///     fn grant_key(&self) -> ObjectKey { ObjectKey::new("channel", self.0) }
    /// }
    ///
    /// async fn can_read<U: User>(cx: &Context<'_, U>, channel: &ChannelId) -> Result<bool> {
    ///     cx.may_on(uploads::read, channel).await
    /// }
    /// ```
    pub fn may_on<K: GrantKeys + ?Sized>(
        &self,
        codename: Codename,
        object: &K,
    ) -> impl Future<Output = Result<bool>> + Send {
        let (scope, keys) = (self.scope(), collect_keys(object));
        async move { scope.may_with(codename, &keys).await }
    }
}

/// Evaluates a codename for the objects that a parameter names. Generated code calls this with the result of
/// [`collect_keys`]: a future of the parameter's type would report a second time that it identifies no object.
///
/// # Errors
///
/// 400 if there are too many objects, or the error of the grant source.
pub async fn may_on<U: User>(call: &Call<'_, U>, codename: Codename, keys: GrantKeyList) -> Result<Option<bool>> {
    let (scope, max_objects) = (call.scope(), call.max_objects());
    if keys.len() > max_objects {
        return Err(Error::too_many_objects(max_objects));
    }
    scope.may_with(codename, &keys).await.map(Some)
}
