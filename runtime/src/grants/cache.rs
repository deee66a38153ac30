//! A grant source with a cache of object overwrites, shared by all connections of the process.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use smallvec::SmallVec;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::batch::{BatchFailure, BatchKeys, share_error};
use super::cached_overwrites::CachedOverwrites;
use super::erased_source::ErasedSource;
use super::loader::{LoadRequest, LoaderState};
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::user_grants::UserGrants;
use super::user_load::{LoadOutcome, SharedLoads, UserLoad};
use crate::error::{Error, Result};
use crate::panic::{catch_unwind, catch_unwind_future};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, Turns, lock};

/// A [`GrantSource`](crate::GrantSource) together with the overwrites loaded from it. Clones share the source and the cached
/// state.
///
/// [`Endpoint::grants`](crate::Endpoint::grants) wraps a plain source in a cache of its own. Create the cache yourself to
/// invalidate it after changes, or to share it between endpoints. It starts empty and is filled by checks. A user's grants
/// are cached per connection; overwrites are cached per object, for as long as a connection uses them.
///
/// Forgetting affects later checks only. [`Connections`](crate::Connections) also revalidates running actions, groups and
/// queued events.
///
/// As a [`GrantSource`](crate::GrantSource) the cache calls its source directly and caches nothing.
///
/// ```standalone_crate
/// use portcullis::{AllowAny, GrantCache, GrantSet, GrantSource, ObjectKey, Result, User, UserGrants, consumer};
///
/// struct Member;
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// struct Roles;
///
/// impl GrantSource<Member> for Roles {
///     async fn load(&self, _: &Member) -> Result<UserGrants> {
///         Ok(GrantSet::from_names(["uploads.read"]).into())
///     }
/// }
///
/// struct Files;
///
/// #[consumer(user = Member)]
/// impl Files {
///     #[action(permission = AllowAny)]
///     async fn ping(&self) {}
/// }
///
/// let cache = GrantCache::new(Roles);
/// let endpoint = portcullis::websocket(Files).grants(cache.clone());
/// // After a change of a channel's overwrites was stored:
/// cache.forget_object(&ObjectKey::new("channel", 5_u64));
/// // After a change of roles was stored:
/// cache.forget_all();
/// # let _ = endpoint;
/// ```
pub struct GrantCache<U>(Arc<CacheState<U>>);

/// The number of loads of one check that a change of rights may overtake. The check then finishes on the last one, which has
/// begun after the check: callers compare epochs.
pub(super) const MAX_OVERTAKEN_LOADS: u8 = 2;

/// The part of the maximum age up to which a connection may begin to use overwrites, or keep them in a renewal, that were
/// loaded before. Renewals, which are that much earlier, end the use of overwrites within the maximum age.
pub(crate) const MAX_REUSE_AGE: f64 = 0.05;

struct CacheState<U> {
    source: Box<dyn ErasedSource<U>>,
    /// A running batch holds one permit. Keys requested while all permits are taken share the next batch.
    batch_permits: Semaphore,
    /// What the clock showed after the latest `forget_all`.
    epoch: AtomicU64,
    /// A logical clock. It rises with every connection and whenever something is forgotten, and tells whether a load has
    /// begun after that.
    clock: AtomicU64,
    turns: Arc<Turns<String>>,
    /// The age from which overwrites are loaded again before a further connection uses them, in milliseconds.
    reuse_millis: AtomicU64,
    /// Protects the loads that connections share. No other lock is taken and no user code runs under it.
    shared_loads: Mutex<SharedLoads>,
    /// Protects the overwrites and their batches. The lock of `BatchKeys` is taken after it.
    loader: Mutex<LoaderState>,
    /// What the session layer keeps about the cache.
    attachment: OnceLock<Arc<dyn Any + Send + Sync>>,
    created_at: Instant,
    /// The calls of the source for users and for objects, and those of either that failed.
    user_loads: AtomicU64,
    object_loads: AtomicU64,
    failed_loads: AtomicU64,
}

impl<U> GrantCache<U> {
    /// More than one, so that a batch that hangs does not stop the others.
    const MAX_CONCURRENT_BATCHES: usize = 4;

    pub(super) fn from_erased(source: Box<dyn ErasedSource<U>>) -> GrantCache<U> {
        GrantCache(Arc::new(CacheState {
            source,
            batch_permits: Semaphore::new(Self::MAX_CONCURRENT_BATCHES),
            epoch: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            turns: Turns::new(usize::MAX, usize::MAX),
            reuse_millis: AtomicU64::new(u64::MAX),
            shared_loads: Mutex::default(),
            loader: Mutex::default(),
            attachment: OnceLock::new(),
            created_at: Instant::now(),
            user_loads: AtomicU64::new(0),
            object_loads: AtomicU64::new(0),
            failed_loads: AtomicU64::new(0),
        }))
    }

    /// Forgets the overwrites of this object, for all connections: the next check loads them again.
    ///
    /// Call it after a change was stored. A load that is in progress is repeated, so no check that starts after this call
    /// uses the old overwrites.
    pub fn forget_object(&self, object: &ObjectKey) {
        self.0.lock_loader().forget(object);
    }

    /// Forgets the overwrites of all objects and the grants of all connections: the next check loads them again.
    ///
    /// Call it after a change of roles was stored. Loads that are in progress are repeated, so no check that starts after
    /// this call uses the old grants.
    pub fn forget_all(&self) {
        self.0.epoch.fetch_max(self.tick(), Ordering::SeqCst);
        self.0.lock_loader().forget_all();
    }

    /// Lowers the number of users that are loaded at the same time to `max_loads`.
    pub(crate) fn limit_loads(&self, max_loads: usize) {
        self.0.turns.limit(max_loads);
    }

    /// Lowers the maximum age of overwrites to `max_age`. Each connection that uses them renews its rights early enough.
    pub(crate) fn limit_age(&self, max_age: Option<Duration>) {
        if let Some(max_age) = max_age {
            self.0.reuse_millis.fetch_min(millis(max_age.mul_f64(MAX_REUSE_AGE)), Ordering::Relaxed);
        }
    }

    /// Returns the attachment of the cache, of which there is one type only. Clones of the cache share it.
    pub(crate) fn attachment<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let attachment = self.0.attachment.get_or_init(|| Arc::<T>::default());
        attachment.clone().downcast().unwrap_or_default()
    }

    /// Returns how often the source was called for users and for objects, and how often either has failed.
    pub(crate) fn loads(&self) -> (u64, u64, u64) {
        let CacheState { user_loads, object_loads, failed_loads, .. } = &*self.0;
        let [users, objects, failed] =
            [user_loads, object_loads, failed_loads].map(|count| count.load(Ordering::Relaxed));
        (users, objects, failed)
    }

    /// Advances the clock, and returns the new time. A load that begins at this time or later has begun after the call.
    pub(super) fn tick(&self) -> u64 {
        self.0.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Returns the time of the latest `forget_all`.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    pub(super) fn source(&self) -> &dyn ErasedSource<U> {
        &*self.0.source
    }
}

impl<U: 'static> GrantCache<U> {
    /// Loads a user's grants, by a load that begins at time `required` or later. `own_load` is used unless the source names a
    /// key by which connections share loads.
    ///
    /// # Errors
    ///
    /// The error of the source, also as a waiter of a shared load; a fault if it panics.
    pub(super) async fn load_user(
        &self,
        user: &U,
        user_id: &str,
        required: u64,
        own_load: impl Fn() -> Arc<UserLoad>,
    ) -> Result<Arc<UserGrants>> {
        let key = catch_unwind(|| self.0.source.coalesce_key(user)).map_err(|_| source_panicked())?;
        loop {
            let load = match &key {
                Some(key) => self.0.lock_shared_loads().join(key, required),
                None => own_load(),
            };
            let outcome = load.wait(|| self.0.run_load(&load, user, user_id)).await;
            if outcome.began_at >= required {
                return outcome.result.map_err(|error| share_error(&error));
            }
        }
    }

    /// Returns the overwrites of these objects in their order. Those that are missing or too old to be used by a further
    /// connection are loaded. None was stale when checked, unless objects were forgotten during two loads.
    pub(super) async fn load_entries(&self, objects: &[ObjectKey]) -> Result<SmallVec<[Arc<CachedOverwrites>; 1]>> {
        let (mut is_exclusive, mut overtaken) = (false, 0);
        loop {
            let LoadRequest { entries, pending } = self.request(objects, is_exclusive);
            let pending = pending.into_iter().map(|load| {
                load.map(|result| match result {
                    Err(failure) if failure.is_only_about(objects) => Err(failure.to_error()),
                    // The batch may have failed because of an object of another request.
                    result => Ok(result.is_err()),
                })
            });
            let has_failed = try_join_all(pending).await?.contains(&true);
            is_exclusive |= has_failed;
            if has_failed {
                continue;
            }
            if entries.iter().all(|entry| entry.current().is_some()) {
                return Ok(entries);
            }
            overtaken += 1;
            if overtaken >= MAX_OVERTAKEN_LOADS && entries.iter().all(|entry| entry.loaded().is_some()) {
                return Ok(entries);
            }
        }
    }

    /// Returns the objects for which a load has found other overwrites than the cached ones, each once.
    pub(super) fn take_changed_objects(&self) -> Vec<ObjectKey> {
        self.0.lock_loader().take_changed().into_iter().collect()
    }

    fn request(&self, objects: &[ObjectKey], is_exclusive: bool) -> LoadRequest {
        let since = self.0.age_millis().checked_sub(self.0.reuse_millis.load(Ordering::Relaxed));
        let run_batch = |keys| self.0.clone().run_batch(keys).boxed().shared();
        self.0.lock_loader().request(objects, since, is_exclusive, run_batch)
    }
}

impl<U> CacheState<U> {
    /// Returns the time since the cache was created, in milliseconds.
    fn age_millis(&self) -> u64 {
        millis(self.created_at.elapsed())
    }

    /// Waits for the user's turn and loads the grants.
    async fn run_load(&self, load: &UserLoad, user: &U, user_id: &str) -> LoadOutcome {
        let _permit = self.turns.acquire(user_id.to_owned()).await;
        let began_at = self.clock.load(Ordering::SeqCst);
        load.begin(began_at);
        // The call itself may panic, before it returns a future.
        self.user_loads.fetch_add(1, Ordering::Relaxed);
        let loaded = catch_unwind_future(async { self.source.load_user(user).await }).await;
        let result = loaded.unwrap_or_else(|_| Err(source_panicked()));
        self.failed_loads.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
        LoadOutcome { began_at, result: result.map(Arc::new).map_err(Arc::new) }
    }

    /// Waits for a permit, closes the list of keys and loads them.
    async fn run_batch(self: Arc<Self>, keys: Arc<BatchKeys>) -> Result<(), BatchFailure> {
        let _permit = self.batch_permits.acquire().await;
        let entries = keys.take();
        // An object that was forgotten and requested again before the batch started is listed twice.
        let mut positions = HashMap::with_capacity(entries.len());
        for (object, _) in &entries {
            let next_position = positions.len();
            positions.entry(object.clone()).or_insert(next_position);
        }
        let mut objects: Vec<_> = positions.iter().collect();
        objects.sort_unstable_by_key(|(_, position)| **position);
        let started_at = self.age_millis();
        let objects: Arc<[ObjectKey]> = objects.into_iter().map(|(object, _)| object.clone()).collect();
        let result = self.load_counted(&objects).await;
        let overwrites_of = |object: &ObjectKey| result.as_ref().ok()?.get(*positions.get(object)?);
        let pairs = entries.iter().filter_map(|entry| Some((entry, overwrites_of(&entry.0)?)));
        let changed = pairs.filter(|((_, entry), overwrites)| !entry.renew(overwrites, started_at)).collect();
        let mut loader = self.lock_loader();
        loader.replace(changed, started_at);
        loader.finish_batch(&entries, &keys);
        drop(loader);
        result.map(drop).map_err(|error| BatchFailure::new(error, objects))
    }

    /// Calls the source, counts the call, and checks the result. A panic is an error.
    async fn load_counted(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.object_loads.fetch_add(1, Ordering::Relaxed);
        let loaded = catch_unwind_future(self.load_checked(objects)).await;
        let loaded = loaded.unwrap_or_else(|_| Err(source_panicked()));
        self.failed_loads.fetch_add(u64::from(loaded.is_err()), Ordering::Relaxed);
        loaded
    }

    /// Calls the source and checks the length of the result.
    async fn load_checked(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let all = self.source.load_overwrites(objects).await?;
        if all.len() == objects.len() {
            return Ok(all);
        }
        let (requested, returned) = (objects.len(), all.len());
        Err(Error::internal(format!("the grant source returned {returned} overwrites for {requested} objects")))
    }

    fn lock_loader(&self) -> MutexGuard<'_, LoaderState> {
        lock(&self.loader)
    }

    fn lock_shared_loads(&self) -> MutexGuard<'_, SharedLoads> {
        lock(&self.shared_loads)
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

fn source_panicked() -> Error {
    Error::internal("the grant source panicked")
}

impl<U> GrantCache<U> {
    /// Returns whether both are handles of one cache.
    pub(crate) fn is_same(&self, other: &GrantCache<U>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<U> Clone for GrantCache<U> {
    fn clone(&self) -> GrantCache<U> {
        GrantCache(self.0.clone())
    }
}

impl<U> fmt::Debug for GrantCache<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
