//! Objects as parameters: loaded at most once a message, looked at by the permissions that name them, and then handed on.

use std::fmt;
use std::future::Future;
use std::ops::Deref;

use http::StatusCode;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::context::{Authorized, Call, Context, GrantKey, GrantKeys, Handler};
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};

/// How an object comes from handler, captures and key, so that an action of `H` can take it as [`Object<Self>`](Object).
///
/// [`ObjectPermission`](crate::ObjectPermission) has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded for `{H}`",
    label = "no loader for `{H}`",
    note = "implement `Load<{H}>` for `{Self}`; its `load` says how it comes from the handler, the captures and its key"
)]
pub trait Load<H: Handler>: Sized + Send + Sync + 'static {
    /// What a message names it by.
    type Key: DeserializeOwned + Send + Sync + 'static;

    /// The captures that an object must lie under. `&[]` says aloud that every route leads to every object.
    ///
    /// A mount that does not provide them does not compile; reading another is a fault.
    const CAPTURES: &'static [&'static str];

    /// Loads it. `None`: there is none, or it does not lie under the captures of the route. An error with the status 404
    /// says the same.
    fn load(
        handler: &H,
        cx: &Context<'_, H::User>,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Loads those that a list names: one entry a key, in the order of the keys. Default: one [`load`](Load::load) after
    /// the other.
    fn load_many(
        handler: &H,
        cx: &Context<'_, H::User>,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<Vec<Option<Self>>>> + Send {
        async move {
            let mut objects = Vec::with_capacity(keys.len());
            for key in keys {
                objects.push(Self::load(handler, cx, key).await?);
            }
            Ok(objects)
        }
    }
}

/// An object that a permission of the action names: `message: Object<Message>`. It is handed over only once the whole
/// expression holds.
///
/// The message holds its key under the parameter's name. `#[object("message_id")]` takes it from another key,
/// `#[object("order.items[].product")]` from within one, and `#[path]` from a capture. `Option<Object<T>>` may be absent,
/// `Vec<Object<T>>` is a list, loaded in one batch. Nothing but a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<T>(T);

impl<T> Object<T> {
    /// The object itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: GrantKey> GrantKeys for Object<T> {
    fn for_each_key(&self, add: &mut dyn FnMut(ObjectKey)) {
        add(self.0.grant_key());
    }
}

/// Mostly there is one.
pub(super) type Few<T> = SmallVec<[T; 1]>;

/// What a parameter holds, whether or not it can be loaded: a leaf is asked about this.
pub trait LoadedParameter {
    /// What is loaded.
    type Item;

    /// Is there always one, so that the opposite of a leaf is the opposite of what it says of that one?
    const SINGLE: bool;
}

impl<T> LoadedParameter for Object<T> {
    type Item = T;

    const SINGLE: bool = true;
}

impl<T> LoadedParameter for Option<Object<T>> {
    type Item = T;

    const SINGLE: bool = false;
}

impl<T> LoadedParameter for Vec<Object<T>> {
    type Item = T;

    const SINGLE: bool = false;
}

/// The parameters that objects can be.
pub trait ObjectParameter<H: Handler>: Sized {
    /// What is loaded.
    type Item: Load<H>;
    /// What the message holds.
    type Keys: DeserializeOwned;

    /// The keys, one by one.
    fn keys(keys: Self::Keys) -> Few<<Self::Item as Load<H>>::Key>;

    /// The parameter, of objects that were all there.
    fn made(objects: Few<Self::Item>) -> Option<Self>;

    /// Begins: nothing is loaded yet. 400 for a list that is too long.
    fn loading<U>(keys: Self::Keys, call: &Call<'_, U>, field: &'static str) -> Result<LoadingObjects<Self, H>> {
        let keys = Self::keys(keys);
        let most = call.most_objects();
        if keys.len() > most {
            return Err(Error::too_many_objects(most).with_field(field));
        }
        Ok(LoadingObjects { keys, state: State::Unloaded })
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Object<T> {
    type Item = T;
    type Keys = T::Key;

    fn keys(key: T::Key) -> Few<T::Key> {
        [key].into()
    }

    fn made(objects: Few<T>) -> Option<Self> {
        objects.into_iter().next().map(Object)
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Option<Object<T>> {
    type Item = T;
    type Keys = Option<T::Key>;

    fn keys(key: Option<T::Key>) -> Few<T::Key> {
        key.into_iter().collect()
    }

    fn made(objects: Few<T>) -> Option<Self> {
        Some(objects.into_iter().next().map(Object))
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Vec<Object<T>> {
    type Item = T;
    type Keys = Vec<T::Key>;

    fn keys(keys: Vec<T::Key>) -> Few<T::Key> {
        Few::from_vec(keys)
    }

    fn made(objects: Few<T>) -> Option<Self> {
        Some(objects.into_iter().map(Object).collect())
    }
}

/// The objects of one parameter on their way: not loaded yet, loaded, or found missing.
pub struct LoadingObjects<P: ObjectParameter<H>, H: Handler> {
    keys: Few<<P::Item as Load<H>>::Key>,
    state: State<P::Item>,
}

enum State<T> {
    Unloaded,
    Missing,
    Loaded(Few<T>),
}

impl<P: ObjectParameter<H>, H: Handler> LoadingObjects<P, H> {
    /// Loads them, unless they are. `None`: one is missing.
    async fn load(&mut self, handler: &H, call: &Call<'_, H::User>) -> Result<Option<&Few<P::Item>>> {
        if let State::Unloaded = self.state {
            let found = match self.find(handler, call).await {
                // Whoever may not see an object must not learn from its loader whether there is one.
                Err(error) if error.status() == StatusCode::NOT_FOUND => None,
                found => found?,
            };
            self.state = found.map_or(State::Missing, State::Loaded);
        }
        Ok(match &self.state {
            State::Loaded(objects) => Some(objects),
            State::Missing | State::Unloaded => None,
        })
    }

    async fn find(&self, handler: &H, call: &Call<'_, H::User>) -> Result<Option<Few<P::Item>>> {
        let cx = call.context(P::Item::CAPTURES);
        match &*self.keys {
            [] => Ok(Some(Few::new())),
            [key] => Ok(P::Item::load(handler, &cx, key).await?.map(|object| [object].into())),
            several => {
                let objects = P::Item::load_many(handler, &cx, several).await?;
                if objects.len() == several.len() {
                    return Ok(objects.into_iter().collect());
                }
                let text = format!("`load_many` gave {} objects for {} keys", objects.len(), several.len());
                Err(Error::internal(text))
            }
        }
    }

    /// Begins to ask a leaf about each of them.
    pub async fn asked(&mut self, handler: &H, call: &Call<'_, H::User>) -> LeafOverObjects<'_, P::Item> {
        match self.load(handler, call).await {
            Ok(Some(objects)) => LeafOverObjects { left: objects, answer: Ok(Some(true)) },
            Ok(None) => LeafOverObjects { left: &[], answer: Ok(None) },
            Err(error) => LeafOverObjects { left: &[], answer: Err(error) },
        }
    }

    /// Asks a codename as each of them overwrites it; `None` where one is missing.
    pub async fn may(&mut self, handler: &H, call: &Call<'_, H::User>, codename: Codename) -> Result<Option<bool>>
    where
        P::Item: GrantKey,
    {
        let keys = self.load(handler, call).await?.map(|objects| objects.iter().map(GrantKey::grant_key).collect());
        let keys: Few<_> = match keys {
            Some(keys) => keys,
            None => return Ok(None),
        };
        unseen(call.may_with(codename, &keys).await.map(Some))
    }

    /// The parameter, once everything on the way has held. 404 where one is missing.
    pub async fn take(mut self, handler: &H, call: &Call<'_, H::User>, _: &Authorized) -> Result<P> {
        self.load(handler, call).await?;
        match self.state {
            State::Loaded(objects) => P::made(objects).ok_or_else(Error::not_found),
            State::Missing | State::Unloaded => Err(Error::not_found()),
        }
    }
}

impl<P: ObjectParameter<H>, H: Handler> fmt::Debug for LoadingObjects<P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadingObjects").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// An answer about an object that is there, such as could be given about one that is not.
fn unseen(answer: Result<Option<bool>>) -> Result<Option<bool>> {
    match answer {
        Err(error) if error.status() == StatusCode::NOT_FOUND || error.is_of_message() => Ok(None),
        answer => answer,
    }
}

/// One leaf being asked about the objects of a parameter: yes for all is a yes.
#[derive(Debug)]
pub struct LeafOverObjects<'o, T> {
    left: &'o [T],
    answer: Result<Option<bool>>,
}

impl<'o, T> LeafOverObjects<'o, T> {
    /// The object to ask about now; none after the first that is not a yes.
    #[expect(clippy::should_implement_trait, reason = "an iterator could be collected, leaving answers out")]
    pub fn next(&mut self) -> Option<&'o T> {
        let Ok(Some(true)) = self.answer else { return None };
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        // Until the leaf has spoken.
        self.answer = Ok(Some(false));
        Some(first)
    }

    /// What the leaf said of it. That it found no such thing, or that the message lacks what it wants to read, says nothing:
    /// told as it is, it would tell that there is an object.
    pub fn tell(&mut self, answer: Result<bool>) {
        self.answer = unseen(answer.map(Some));
    }

    /// What it says of all of them; `None` where one is missing.
    pub fn answer(self) -> Result<Option<bool>> {
        self.answer
    }
}
