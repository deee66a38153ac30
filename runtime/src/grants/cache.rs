//! A grant source with a cache of object overwrites, shared by all connections of the process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use smallvec::SmallVec;
use tokio::sync::Semaphore;

use super::batch::run_batch;
use super::loader::{CachedOverwrites, LoadRequest, LoaderState};
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::source::{ErasedSource, GrantSource, UserGrants};
use crate::error::Result;

/// A [`GrantSource`] together with the overwrites loaded from it. Clones share the source and the cached state.
///
/// [`Endpoint::grants`](crate::Endpoint::grants) wraps a plain source in a cache of its own. Create the cache yourself to
/// invalidate it after changes, or to share it between endpoints. It starts empty and is filled by checks. A user's grants
/// are cached per connection; overwrites are cached per object, for as long as a connection uses them.
///
/// Forgetting affects later checks only. [`Connections`](crate::Connections) also revalidates running actions, groups and
/// queued events.
///
/// As a [`GrantSource`] the cache calls its source directly and caches nothing.
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

pub(super) struct CacheState<U> {
    pub(super) source: Box<dyn ErasedSource<U>>,
    /// A running batch holds one permit. Keys requested while all permits are taken share the next batch.
    pub(super) batch_permits: Semaphore,
    /// Incremented by `forget_all`.
    epoch: AtomicU64,
    /// Protects the overwrites and their batches. The lock of `BatchKeys` is taken after it.
    loader: Mutex<LoaderState>,
}

impl<U> GrantCache<U> {
    /// More than one, so that a batch that hangs does not stop the others.
    const MAX_CONCURRENT_BATCHES: usize = 4;

    /// Creates an empty cache of this source. If the source is a cache already, returns a handle on that cache.
    pub fn new(source: impl GrantSource<U>) -> GrantCache<U> {
        source.into_cache()
    }

    pub(super) fn from_source(source: impl GrantSource<U>) -> GrantCache<U> {
        GrantCache(Arc::new(CacheState {
            source: Box::new(source),
            batch_permits: Semaphore::new(Self::MAX_CONCURRENT_BATCHES),
            epoch: AtomicU64::new(0),
            loader: Mutex::default(),
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
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
        self.0.lock_loader().forget_all();
    }

    /// Returns the number of `forget_all` calls.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    pub(super) fn source(&self) -> &dyn ErasedSource<U> {
        &*self.0.source
    }
}

impl<U: 'static> GrantCache<U> {
    /// Returns the overwrites of these objects in their order. All of them are loaded, and none was stale when checked.
    pub(super) async fn load_entries(&self, objects: &[ObjectKey]) -> Result<SmallVec<[Arc<CachedOverwrites>; 1]>> {
        let mut is_exclusive = false;
        loop {
            let LoadRequest { entries, pending } = self.request(objects, is_exclusive);
            let pending = pending.into_iter().map(|load| {
                load.map(|result| match result {
                    Err(failure) if failure.is_only_about(objects) => Err(failure.to_error()),
                    // The batch may have failed because of an object of another request.
                    result => Ok(result.is_err()),
                })
            });
            is_exclusive |= try_join_all(pending).await?.contains(&true);
            if entries.iter().all(|entry| entry.current().is_some()) {
                return Ok(entries);
            }
        }
    }

    fn request(&self, objects: &[ObjectKey], is_exclusive: bool) -> LoadRequest {
        self.0.lock_loader().request(objects, is_exclusive, |keys| run_batch(self.0.clone(), keys).boxed().shared())
    }
}

impl<U> CacheState<U> {
    pub(super) fn lock_loader(&self) -> MutexGuard<'_, LoaderState> {
        self.loader.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Calls the source directly, without caching.
impl<U: Send + Sync + 'static> GrantSource<U> for GrantCache<U> {
    async fn load(&self, user: &U) -> Result<UserGrants> {
        self.0.source.load_user(user).await
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.0.source.load_overwrites(objects).await
    }

    fn into_cache(self) -> GrantCache<U> {
        self
    }

    fn into_shared_cache(self: Arc<Self>) -> GrantCache<U> {
        (*self).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::super::tests::fake_source::{FakeSource, READ, allow_everyone, deny_everyone, key, keys};
    use super::*;
    use crate::error::Error;

    type LoadResult = Result<SmallVec<[Arc<CachedOverwrites>; 1]>>;

    /// Polls once; `None` is pending.
    fn poll(future: &mut Pin<&mut impl Future<Output = LoadResult>>) -> Option<LoadResult> {
        future.as_mut().now_or_never()
    }

    fn load_now(cache: &GrantCache<()>, ids: &[u32]) -> LoadResult {
        cache.load_entries(&keys(ids)).now_or_never().unwrap()
    }

    fn can_read(entry: &CachedOverwrites) -> bool {
        entry.current().unwrap().apply(&UserGrants::default(), "7").contains(READ)
    }

    #[test]
    fn object_is_loaded_once_for_all_waiters() {
        let source = FakeSource::blocked();
        let cache = source.cache();
        let requests = [keys(&[1, 2]), keys(&[2, 3]), keys(&[3, 3, 1]), keys(&[1])];
        let mut loads: Vec<_> = requests.iter().map(|objects| Box::pin(cache.load_entries(objects))).collect();
        for load in &mut loads {
            assert!(load.now_or_never().is_none());
        }
        assert_eq!(source.requests(), [keys(&[1, 2]), keys(&[3])]);
        source.release(2);
        for (load, objects) in loads.iter_mut().zip(&requests) {
            assert_eq!(load.now_or_never().unwrap().unwrap().len(), objects.len());
        }
        assert_eq!(load_now(&cache, &[3, 2, 1]).unwrap().len(), 3);
        assert_eq!(source.requests().len(), 2);
    }

    #[test]
    fn requests_during_running_batches_share_one_batch() {
        let source = FakeSource::blocked();
        let cache = source.cache();
        let requests: Vec<_> = (0..10).map(|id| keys(&[id])).collect();
        let mut loads: Vec<_> = requests.iter().map(|objects| Box::pin(cache.load_entries(objects))).collect();
        assert!(loads.iter_mut().all(|load| load.now_or_never().is_none()));
        source.release(5);
        for load in &mut loads {
            load.now_or_never().unwrap().unwrap();
        }
        assert_eq!(source.requests(), [keys(&[0]), keys(&[1]), keys(&[2]), keys(&[3]), keys(&[4, 5, 6, 7, 8, 9])]);
    }

    #[test]
    fn entries_keep_the_order_of_the_objects() {
        let source = FakeSource::immediate();
        source.set_overwrites(1, allow_everyone(READ));
        let cache = source.cache();
        let entries = load_now(&cache, &[2, 1, 2]).unwrap();
        assert_eq!(entries.iter().map(|entry| can_read(entry)).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn large_request_is_split_into_batches() {
        let source = FakeSource::immediate();
        let all: Vec<_> = (0..2500).collect();
        assert_eq!(load_now(&source.cache(), &all).unwrap().len(), 2500);
        assert_eq!(source.requests().iter().map(Vec::len).collect::<Vec<_>>(), [1000, 1000, 500]);
    }

    #[test]
    fn failure_reaches_all_waiters_and_is_not_cached() {
        let source = FakeSource::blocked();
        *source.failing_object.lock().unwrap() = Some((key(1), || Error::conflict("being moved")));
        let cache = source.cache();
        let objects = keys(&[1]);
        let mut loads: Vec<_> = (0..50).map(|_| Box::pin(cache.load_entries(&objects))).collect();
        assert!(loads.iter_mut().all(|load| load.now_or_never().is_none()));
        source.release(50);
        for load in &mut loads {
            assert_eq!(load.now_or_never().unwrap().err().unwrap().detail(), "being moved");
        }
        assert_eq!(source.requests().len(), 1);
        *source.failing_object.lock().unwrap() = None;
        assert!(load_now(&cache, &[1]).is_ok());
    }

    #[test]
    fn failing_object_does_not_fail_requests_for_other_objects() {
        let source = FakeSource::blocked();
        *source.failing_object.lock().unwrap() = Some((key(9), || Error::internal("torn page")));
        source.set_overwrites(1, allow_everyone(READ));
        let cache = source.cache();
        let (both, valid) = (keys(&[9, 1]), keys(&[1]));
        let mut both = pin!(cache.load_entries(&both));
        let mut others = [pin!(cache.load_entries(&valid)), pin!(cache.load_entries(&valid))];
        assert!(poll(&mut both).is_none() && others.iter_mut().all(|other| poll(other).is_none()));
        source.release(10);
        assert!(poll(&mut both).unwrap().is_err());
        for other in &mut others {
            assert!(can_read(&poll(other).unwrap().unwrap()[0]));
        }
        assert_eq!(source.requests(), [keys(&[9, 1]), keys(&[1])]);
    }

    #[test]
    fn retry_joins_no_batch_that_failed_or_holds_other_objects() {
        let source = FakeSource::blocked();
        *source.failing_object.lock().unwrap() = Some((key(9), || Error::internal("torn page")));
        let cache = source.cache();
        let (both, valid) = (keys(&[9, 1]), keys(&[1]));
        let (mut first, mut second, mut third) =
            (pin!(cache.load_entries(&both)), pin!(cache.load_entries(&valid)), pin!(cache.load_entries(&both)));
        assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
        source.release(1);
        assert!(poll(&mut first).unwrap().is_err());
        // The second request has not observed the failure when the third one starts.
        assert!(poll(&mut third).is_none() && poll(&mut second).is_none());
        assert_eq!(source.requests(), [keys(&[9, 1]), keys(&[9, 1]), keys(&[1])]);
        source.release(2);
        assert!(poll(&mut second).unwrap().is_ok() && poll(&mut third).unwrap().is_err());
        assert_eq!(source.requests().len(), 3);
    }

    #[test]
    fn cancelled_waiter_does_not_cancel_the_batch() {
        let source = FakeSource::blocked();
        let cache = source.cache();
        let (both, two) = (keys(&[1, 2]), keys(&[2]));
        let mut first = Box::pin(cache.load_entries(&both));
        let mut second = Box::pin(cache.load_entries(&two));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        drop(first);
        source.release(1);
        assert!((&mut second).now_or_never().unwrap().is_ok());
        assert_eq!(source.requests(), [keys(&[1, 2])]);
    }

    #[test]
    fn abandoned_batch_is_loaded_again() {
        let source = FakeSource::blocked();
        let cache = source.cache();
        let requests: Vec<_> = (0..20).map(|id| keys(&[id])).collect();
        let mut loads: Vec<_> = requests.iter().map(|objects| Box::pin(cache.load_entries(objects))).collect();
        assert!(loads.iter_mut().all(|load| load.now_or_never().is_none()));
        drop(loads);
        assert_eq!(cache.0.batch_permits.available_permits(), GrantCache::<()>::MAX_CONCURRENT_BATCHES);
        source.release(2);
        assert!(load_now(&cache, &[1, 10]).is_ok());
        assert_eq!(source.requests().last(), Some(&keys(&[1, 10])));
    }

    #[test]
    fn object_forgotten_during_load_is_loaded_again() {
        let forget_functions: [fn(&GrantCache<()>); 2] = [GrantCache::forget_all, |cache| cache.forget_object(&key(1))];
        for forget in forget_functions {
            let source = FakeSource::blocked();
            source.set_overwrites(1, allow_everyone(READ));
            let cache = source.cache();
            let objects = keys(&[1]);
            let mut first = pin!(cache.load_entries(&objects));
            assert!(poll(&mut first).is_none());
            source.set_overwrites(1, deny_everyone(READ));
            forget(&cache);
            source.release(1);
            assert!(poll(&mut first).is_none());
            // A request made after the forget waits for the second load, not the first.
            let mut second = pin!(cache.load_entries(&objects));
            assert!(poll(&mut second).is_none());
            source.release(1);
            assert!(!can_read(&poll(&mut first).unwrap().unwrap()[0]));
            assert!(!can_read(&poll(&mut second).unwrap().unwrap()[0]));
            assert_eq!(source.requests().len(), 2);
        }
    }

    #[test]
    fn only_forgotten_objects_are_loaded_again() {
        let source = FakeSource::immediate();
        let cache = source.cache();
        let entries = load_now(&cache, &[1, 2]).unwrap();
        cache.clone().forget_object(&key(2));
        assert!(entries[0].current().is_some() && entries[1].current().is_none());
        load_now(&cache, &[1, 2]).unwrap();
        assert_eq!(source.requests()[1..], [keys(&[2])]);
        let epoch = cache.epoch();
        cache.forget_all();
        assert!(cache.epoch() > epoch && entries[0].current().is_none());
        load_now(&cache, &[2, 1]).unwrap();
        assert_eq!(source.requests()[2..], [keys(&[2, 1])]);
    }

    struct ShortSource;

    impl GrantSource<()> for ShortSource {
        async fn load(&self, (): &()) -> Result<UserGrants> {
            Ok(UserGrants::default())
        }

        async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
            assert!(objects.len() < 3, "too many");
            Ok(vec![Overwrites::new()])
        }
    }

    #[test]
    fn panic_or_wrong_count_of_the_source_is_a_fault() {
        let cache = GrantSource::into_cache(ShortSource);
        assert!(load_now(&cache, &[1]).is_ok());
        for (ids, message) in [(&[2, 3][..], "returned 1 overwrites for 2 objects"), (&[2, 3, 4], "panicked")] {
            let error = load_now(&cache, ids).err().unwrap();
            assert!(error.is_fault() && error.to_string().contains(message), "{error}");
        }
        assert_eq!(cache.0.batch_permits.available_permits(), GrantCache::<()>::MAX_CONCURRENT_BATCHES);
    }

    #[test]
    fn cache_is_a_source_and_its_own_cache() {
        let source = FakeSource::immediate();
        source.grant([READ]);
        source.set_overwrites(1, allow_everyone(READ));
        let cache = source.cache();
        assert!(Arc::ptr_eq(&cache.clone().into_cache().0, &cache.0));
        assert!(cache.load(&()).now_or_never().unwrap().unwrap().grants.contains(READ));
        let overwrites = cache.overwrites(&keys(&[1])).now_or_never().unwrap().unwrap();
        assert!(overwrites[0].apply(&UserGrants::default(), "7").contains(READ));
        let cache = ShortSource.into_cache().clone();
        assert_eq!(format!("{cache:?}"), "GrantCache { .. }");
    }
}
