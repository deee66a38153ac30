//! Object parameters: loaded at most once per message, checked by the permissions that name them, passed to the action.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::OnceLock;

use http::StatusCode;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::context::{Authorized, Call, Context, GrantKey, GrantKeys, Handler, User};
use crate::error::{Error, Result};
use crate::grants::{Codename, ObjectKey};
use crate::permission::LeafDefaults;

/// Loads an object by its key, so that an action of handler `H` can take it as an [`Object<Self>`](Object) parameter.
///
/// An object is loaded at most once per message. [`ObjectPermission`](crate::ObjectPermission) has a complete example.
///
/// ```
/// use portcullis::{Context, Load, Result};
/// # struct Member { id: u32 }
/// # impl portcullis::User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
/// # #[portcullis::handler(user = Member)]
/// # impl Rooms { #[action(permission = portcullis::AllowAny)] async fn ping(&self) {} }
///
/// struct Rooms { messages: Vec<Message> }
/// #[derive(Clone)]
/// struct Message { id: u32, room_id: u32 }
///
/// impl Load<Rooms> for Message {
///     type Key = u32;
///     const CAPTURES: &'static [&'static str] = &["room_id"];
///
///     async fn load(rooms: &Rooms, cx: &Context<'_, Member>, id: &u32) -> Result<Option<Message>> {
///         let room_id: u32 = cx.capture("room_id")?;
///         Ok(rooms.messages.iter().find(|message| message.id == *id && message.room_id == room_id).cloned())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded for `{H}`",
    label = "no loader for `{H}`",
    note = "implement `Load<{H}>` for `{Self}`; its `load` returns the object for the handler, the captures and the key"
)]
pub trait Load<H: Handler>: Sized + Send + Sync + 'static {
    /// The type of the object's key in a message.
    type Key: DeserializeOwned + Send + Sync + 'static;

    /// The names of the route captures that an object belongs to: `load` returns only objects of these. `&[]` makes every
    /// object available under every route.
    ///
    /// Mounting the handler under a route that does not provide them is a compile error. Reading a capture that is not
    /// listed is a fault (500).
    const CAPTURES: &'static [&'static str];

    /// Loads one object. Returns `None` if it does not exist, or if it does not belong to the captures of the route.
    ///
    /// # Errors
    ///
    /// A 404 means the same as `None`. Any other error refuses the message.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an await if the message is cancelled, for example when the action timeout expires.
    fn load(
        handler: &H,
        cx: &Context<'_, H::User>,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Loads the objects of a list: returns one entry per key, in the order of the keys. Default: calls [`load`](Load::load)
    /// for one key after the other.
    ///
    /// It is called for lists of two keys and more. The length of a list is limited by
    /// [`Limits::max_objects`](crate::Limits::max_objects).
    ///
    /// # Errors
    ///
    /// As in [`load`](Load::load). A result with another number of entries than keys is a fault (500).
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

/// A parameter whose object is loaded and authorized before the action runs: `message: Object<Message>`.
///
/// A permission of the action names the parameter, for example `permission = Author(message)`. The action receives the
/// object after the whole expression holds. Only evaluation creates an `Object`.
/// [`ObjectPermission`](crate::ObjectPermission) has an example.
///
/// The message carries the key of the object under the name of the parameter. `#[object("message_id")]` reads it from
/// another key of the message, `#[object("order.items[].product")]` from inside the value of a key, and `#[path]` from a
/// route capture.
///
/// `Option<Object<T>>` is an optional object. `Vec<Object<T>>` is a list of objects, loaded by [`Load::load_many`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<T>(T);

impl<T> Object<T> {
    /// Returns the object.
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

/// A list that has one element in most messages.
pub(super) type InlineVec<T> = SmallVec<[T; 1]>;

/// A type of object parameter, whether or not the object implements [`Load`]. Object leaves are evaluated for its items.
pub trait LoadedParameter {
    /// The type of the object.
    type Item;

    /// Whether there is always exactly one object, so that the negation of a leaf is the negation for that object.
    const IS_SINGLE: bool;
}

impl<T> LoadedParameter for Object<T> {
    type Item = T;

    const IS_SINGLE: bool = true;
}

impl<T> LoadedParameter for Option<Object<T>> {
    type Item = T;

    const IS_SINGLE: bool = false;
}

impl<T> LoadedParameter for Vec<Object<T>> {
    type Item = T;

    const IS_SINGLE: bool = false;
}

/// Has the captures that an object of type `T` belongs to for handler `H`. See [`LeafDefaults`].
#[derive(Debug)]
pub struct LoadOptions<T, H>(PhantomData<(T, H)>);

impl<T: Load<H>, H: Handler> LoadOptions<T, H> {
    /// The captures of the route that the object belongs to.
    pub const __CAPTURES: &'static [&'static str] = T::CAPTURES;
}

impl<T, H> LeafDefaults for LoadOptions<T, H> {}

/// A type of object parameter whose object can be loaded.
///
/// Generated code names it only by its methods, and awaits none of them, so that the compiler reports an object that cannot
/// be loaded once: errors with the same words at the same place are one error.
pub trait ObjectParameter<H: Handler>: Sized {
    /// The type of the object.
    type Item: Load<H>;
    /// The type of the keys in the message.
    type Keys: DeserializeOwned;

    /// Converts the deserialized keys into a list.
    fn keys(keys: Self::Keys) -> InlineVec<<Self::Item as Load<H>>::Key>;

    /// Converts loaded objects into the parameter.
    fn from_objects(objects: InlineVec<Self::Item>) -> Option<Self>;

    /// Creates the state of a parameter that is not loaded. Fails with 400 if the list is longer than the limit.
    #[allow(clippy::type_complexity, reason = "an alias would not be shorter")]
    fn start_loading<U>(
        keys: Self::Keys,
        call: &Call<'_, U>,
        field: &'static str,
    ) -> Result<LoadingObjects<Self::Item, <Self::Item as Load<H>>::Key>> {
        let keys = Self::keys(keys);
        let max_objects = call.max_objects();
        if keys.len() > max_objects {
            return Err(Error::too_many_objects(max_objects).with_field(field));
        }
        Ok(LoadingObjects { keys, objects: OnceLock::new() })
    }

    /// Loads the objects. Returns `None` if one of them is missing. The future does nothing until it is polled.
    #[allow(async_fn_in_trait, reason = "callers know the type, and so whether the future is `Send`")]
    async fn fetch(
        loading: &LoadingObjects<Self::Item, <Self::Item as Load<H>>::Key>,
        handler: &H,
        call: &Call<'_, H::User>,
    ) -> Result<Option<InlineVec<Self::Item>>> {
        let cx = call.load_context(Self::Item::CAPTURES);
        match &*loading.keys {
            [] => Ok(Some(InlineVec::new())),
            [key] => Ok(Self::Item::load(handler, &cx, key).await?.map(|object| [object].into())),
            keys => {
                let objects = Self::Item::load_many(handler, &cx, keys).await?;
                if objects.len() == keys.len() {
                    return Ok(objects.into_iter().collect());
                }
                let text = format!("`load_many` gave {} objects for {} keys", objects.len(), keys.len());
                Err(Error::internal(text))
            }
        }
    }

    /// Returns the parameter of an authorized action. Fails with 404 if an object is missing.
    fn into_parameter(
        loading: LoadingObjects<Self::Item, <Self::Item as Load<H>>::Key>,
        _: &Authorized,
    ) -> Result<Self> {
        let objects = loading.objects.into_inner().flatten();
        objects.and_then(Self::from_objects).ok_or_else(Error::not_found)
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Object<T> {
    type Item = T;
    type Keys = T::Key;

    fn keys(key: T::Key) -> InlineVec<T::Key> {
        [key].into()
    }

    fn from_objects(objects: InlineVec<T>) -> Option<Self> {
        objects.into_iter().next().map(Object)
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Option<Object<T>> {
    type Item = T;
    type Keys = Option<T::Key>;

    fn keys(key: Option<T::Key>) -> InlineVec<T::Key> {
        key.into_iter().collect()
    }

    fn from_objects(objects: InlineVec<T>) -> Option<Self> {
        Some(objects.into_iter().next().map(Object))
    }
}

impl<T: Load<H>, H: Handler> ObjectParameter<H> for Vec<Object<T>> {
    type Item = T;
    type Keys = Vec<T::Key>;

    fn keys(keys: Vec<T::Key>) -> InlineVec<T::Key> {
        InlineVec::from_vec(keys)
    }

    fn from_objects(objects: InlineVec<T>) -> Option<Self> {
        Some(objects.into_iter().map(Object).collect())
    }
}

/// The objects of one parameter during evaluation. They are loaded when the first leaf needs them.
///
/// The methods take the future of [`ObjectParameter::fetch`], which only the first call polls, and have no bounds of their
/// own.
pub struct LoadingObjects<T, K> {
    keys: InlineVec<K>,
    /// Empty until the objects are loaded. `None` if one of them is missing.
    objects: OnceLock<Option<InlineVec<T>>>,
}

impl<T, K> LoadingObjects<T, K> {
    /// Loads the objects on the first call.
    pub async fn load<L>(&self, fetch: L) -> Result<()>
    where
        L: Future<Output = Result<Option<InlineVec<T>>>>,
    {
        self.objects(fetch).await.map(drop)
    }

    /// Loads the objects on the first call. Returns `None` if one of them is missing.
    async fn objects<L>(&self, fetch: L) -> Result<Option<&InlineVec<T>>>
    where
        L: Future<Output = Result<Option<InlineVec<T>>>>,
    {
        if let Some(loaded) = self.objects.get() {
            return Ok(loaded.as_ref());
        }
        let found = match fetch.await {
            // A 404 of the loader must not be distinguishable from a missing object.
            Err(error) if error.status() == StatusCode::NOT_FOUND => None,
            found => found?,
        };
        Ok(self.objects.get_or_init(|| found).as_ref())
    }

    /// Evaluates a leaf for one object after the other. Returns `Some(true)` if it is true for all of them, and `None` if an
    /// object is missing. The first object for which it is not true ends the evaluation.
    ///
    /// A 404 and an error about the message count as a missing object: the client must not learn from them that the object
    /// exists.
    pub async fn evaluate_leaf<'o, L, F, A>(&'o self, fetch: L, evaluate: F) -> Result<Option<bool>>
    where
        L: Future<Output = Result<Option<InlineVec<T>>>>,
        F: Fn(&'o T) -> A,
        A: Future<Output = Result<bool>>,
    {
        let Some(objects) = self.objects(fetch).await? else { return Ok(None) };
        for object in objects {
            match conceal_missing(evaluate(object).await.map(Some)) {
                Ok(Some(true)) => {}
                answer => return answer,
            }
        }
        Ok(Some(true))
    }

    /// Evaluates a codename with the overwrites of each object. Returns `None` if an object is missing.
    pub async fn may<L, U: User>(
        &self,
        fetch: L,
        call: &Call<'_, U>,
        codename: Codename,
        grant_key: fn(&T) -> ObjectKey,
    ) -> Result<Option<bool>>
    where
        L: Future<Output = Result<Option<InlineVec<T>>>>,
    {
        let Some(objects) = self.objects(fetch).await? else { return Ok(None) };
        let keys: InlineVec<_> = objects.iter().map(grant_key).collect();
        conceal_missing(call.may_with(codename, &keys).await.map(Some))
    }
}

impl<T, K> fmt::Debug for LoadingObjects<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadingObjects").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Turns errors that would reveal the existence of an object into "object missing": a 404, and an error about the message.
fn conceal_missing(answer: Result<Option<bool>>) -> Result<Option<bool>> {
    match answer {
        Err(error) if error.status() == StatusCode::NOT_FOUND || error.is_message_error() => Ok(None),
        answer => answer,
    }
}
