//! A source of grants with what objects overwrite, loaded once a machine and shared by its connections.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use smallvec::SmallVec;
use tokio::sync::Semaphore;

use super::batch::fly;
use super::loader::{BatchResult, CachedOverwrites, LoaderState};
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::source::{ErasedSource, GrantSource, UserGrants};
use crate::error::Result;
use crate::sync::ignore_poison;

/// A source of grants, and what was loaded from it. Clones are handles on one and the same.
///
/// An endpoint makes its own from the [`GrantSource`] that it is given. Make one yourself to tell it of changes, or to share
/// it: `websocket(Chat).grants(cache.clone())`.
pub struct GrantCache<U>(Arc<Inner<U>>);

pub(super) struct Inner<U> {
    pub(super) source: Box<dyn ErasedSource<U>>,
    /// Held while a flight is under way. What is wanted meanwhile goes together with the next one.
    pub(super) turns: Semaphore,
    /// How often everything was forgotten.
    epoch: AtomicU64,
    entries: Mutex<LoaderState>,
}

impl<U> GrantCache<U> {
    /// How many questions about objects may be under way at once, so that one that hangs does not stop the others.
    const FLIGHTS: usize = 4;

    /// A cache of this source. It is empty and fills as checks need it. Of a cache it is another handle.
    pub fn new(source: impl GrantSource<U>) -> GrantCache<U> {
        source.into_cache()
    }

    pub(super) fn of(source: impl GrantSource<U>) -> GrantCache<U> {
        GrantCache(Arc::new(Inner {
            source: Box::new(source),
            turns: Semaphore::new(Self::FLIGHTS),
            epoch: AtomicU64::new(0),
            entries: Mutex::default(),
        }))
    }

    /// Forgets what this object overwrites. Call it once a change has been stored: the next check loads it anew.
    pub fn forget_object(&self, object: &ObjectKey) {
        self.0.entries().forget(object);
    }

    /// Forgets everything, the grants of every connection too. Call it once a change of roles has been stored.
    pub fn forget_all(&self) {
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
        self.0.entries().forget_all();
    }

    /// Rises whenever everything is forgotten.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    pub(super) fn source(&self) -> &dyn ErasedSource<U> {
        &*self.0.source
    }
}

impl<U: 'static> GrantCache<U> {
    /// What these objects overwrite, in their order; all of it loaded, and none of it stale at this moment.
    pub(super) async fn find(&self, objects: &[ObjectKey]) -> Result<SmallVec<[Arc<CachedOverwrites>; 1]>> {
        let mut alone = false;
        loop {
            let BatchResult { entries, landings } = self.board(objects, alone);
            let landings = landings.into_iter().map(|landing| {
                landing.map(|landed| match landed {
                    Err(failure) if failure.is_of(objects) => Err(failure.error()),
                    // It may have failed for another's object.
                    landed => Ok(landed.is_err()),
                })
            });
            alone |= try_join_all(landings).await?.contains(&true);
            if entries.iter().all(|entry| entry.current().is_some()) {
                return Ok(entries);
            }
        }
    }

    fn board(&self, objects: &[ObjectKey], alone: bool) -> BatchResult {
        self.0.entries().board(objects, alone, |list| fly(self.0.clone(), list).boxed().shared())
    }
}

impl<U> Inner<U> {
    pub(super) fn entries(&self) -> MutexGuard<'_, LoaderState> {
        ignore_poison(self.entries.lock())
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

/// Asks the source itself.
impl<U: Send + Sync + 'static> GrantSource<U> for GrantCache<U> {
    async fn load(&self, user: &U) -> Result<UserGrants> {
        self.0.source.user(user).await
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.0.source.objects(objects).await
    }

    fn into_cache(self) -> GrantCache<U> {
        self
    }

    fn shared(self: Arc<Self>) -> GrantCache<U> {
        (*self).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::super::tests::fake_source::{READ, Staged, allowed, denied, key, keys};
    use super::*;
    use crate::error::Error;

    type Lookup = Result<SmallVec<[Arc<CachedOverwrites>; 1]>>;

    /// Asks once more whether it is done.
    fn poll(future: &mut Pin<&mut impl Future<Output = Lookup>>) -> Option<Lookup> {
        future.as_mut().now_or_never()
    }

    fn now(cache: &GrantCache<()>, ids: &[u32]) -> Lookup {
        cache.find(&keys(ids)).now_or_never().unwrap()
    }

    fn may_read(entry: &CachedOverwrites) -> bool {
        entry.current().unwrap().apply(&UserGrants::default(), "7").contains(READ)
    }

    #[test]
    fn each_object_is_asked_for_once_whoever_needs_it() {
        let staged = Staged::held();
        let cache = staged.cache();
        let wanted = [keys(&[1, 2]), keys(&[2, 3]), keys(&[3, 3, 1]), keys(&[1])];
        let mut finding: Vec<_> = wanted.iter().map(|objects| Box::pin(cache.find(objects))).collect();
        for one in &mut finding {
            assert!(one.now_or_never().is_none());
        }
        assert_eq!(staged.asked(), [keys(&[1, 2]), keys(&[3])]);
        staged.let_go(2);
        for (one, objects) in finding.iter_mut().zip(&wanted) {
            assert_eq!(one.now_or_never().unwrap().unwrap().len(), objects.len());
        }
        assert_eq!(now(&cache, &[3, 2, 1]).unwrap().len(), 3);
        assert_eq!(staged.asked().len(), 2);
    }

    #[test]
    fn what_is_wanted_while_others_fly_goes_together() {
        let staged = Staged::held();
        let cache = staged.cache();
        let wanted: Vec<_> = (0..10).map(|id| keys(&[id])).collect();
        let mut finding: Vec<_> = wanted.iter().map(|objects| Box::pin(cache.find(objects))).collect();
        assert!(finding.iter_mut().all(|one| one.now_or_never().is_none()));
        staged.let_go(5);
        for one in &mut finding {
            one.now_or_never().unwrap().unwrap();
        }
        assert_eq!(staged.asked(), [keys(&[0]), keys(&[1]), keys(&[2]), keys(&[3]), keys(&[4, 5, 6, 7, 8, 9])]);
    }

    #[test]
    fn answers_stand_in_the_order_of_the_objects() {
        let staged = Staged::open();
        staged.set(1, allowed(READ));
        let cache = staged.cache();
        let found = now(&cache, &[2, 1, 2]).unwrap();
        assert_eq!(found.iter().map(|entry| may_read(entry)).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn very_many_objects_are_asked_for_in_parts() {
        let staged = Staged::open();
        let all: Vec<_> = (0..2500).collect();
        assert_eq!(now(&staged.cache(), &all).unwrap().len(), 2500);
        assert_eq!(staged.asked().iter().map(Vec::len).collect::<Vec<_>>(), [1000, 1000, 500]);
    }

    #[test]
    fn a_failure_is_told_to_all_who_asked_for_the_same_and_not_remembered() {
        let staged = Staged::held();
        *staged.bad.lock().unwrap() = Some((key(1), || Error::conflict("being moved")));
        let cache = staged.cache();
        let objects = keys(&[1]);
        let mut finding: Vec<_> = (0..50).map(|_| Box::pin(cache.find(&objects))).collect();
        assert!(finding.iter_mut().all(|one| one.now_or_never().is_none()));
        staged.let_go(50);
        for one in &mut finding {
            assert_eq!(one.now_or_never().unwrap().err().unwrap().detail(), "being moved");
        }
        assert_eq!(staged.asked().len(), 1);
        *staged.bad.lock().unwrap() = None;
        assert!(now(&cache, &[1]).is_ok());
    }

    #[test]
    fn one_object_that_fails_refuses_nobody_who_did_not_ask_for_it() {
        let staged = Staged::held();
        *staged.bad.lock().unwrap() = Some((key(9), || Error::internal("torn page")));
        staged.set(1, allowed(READ));
        let cache = staged.cache();
        let (both, good) = (keys(&[9, 1]), keys(&[1]));
        let mut both = pin!(cache.find(&both));
        let mut others = [pin!(cache.find(&good)), pin!(cache.find(&good))];
        assert!(poll(&mut both).is_none() && others.iter_mut().all(|other| poll(other).is_none()));
        staged.let_go(10);
        assert!(poll(&mut both).unwrap().is_err());
        for other in &mut others {
            assert!(may_read(&poll(other).unwrap().unwrap()[0]));
        }
        assert_eq!(staged.asked(), [keys(&[9, 1]), keys(&[1])]);
    }

    #[test]
    fn who_asks_again_waits_for_nothing_that_has_failed_or_may_fail_for_another() {
        let staged = Staged::held();
        *staged.bad.lock().unwrap() = Some((key(9), || Error::internal("torn page")));
        let cache = staged.cache();
        let (both, good) = (keys(&[9, 1]), keys(&[1]));
        let (mut first, mut second, mut third) =
            (pin!(cache.find(&both)), pin!(cache.find(&good)), pin!(cache.find(&both)));
        assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
        staged.let_go(1);
        assert!(poll(&mut first).unwrap().is_err());
        // The second has not heard of it yet when the third comes.
        assert!(poll(&mut third).is_none() && poll(&mut second).is_none());
        assert_eq!(staged.asked(), [keys(&[9, 1]), keys(&[9, 1]), keys(&[1])]);
        staged.let_go(2);
        assert!(poll(&mut second).unwrap().is_ok() && poll(&mut third).unwrap().is_err());
        assert_eq!(staged.asked().len(), 3);
    }

    #[test]
    fn who_gives_up_takes_nothing_from_the_others() {
        let staged = Staged::held();
        let cache = staged.cache();
        let (both, two) = (keys(&[1, 2]), keys(&[2]));
        let mut first = Box::pin(cache.find(&both));
        let mut second = Box::pin(cache.find(&two));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        drop(first);
        staged.let_go(1);
        assert!((&mut second).now_or_never().unwrap().is_ok());
        assert_eq!(staged.asked(), [keys(&[1, 2])]);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_asked_anew() {
        let staged = Staged::held();
        let cache = staged.cache();
        let gone: Vec<_> = (0..20).map(|id| keys(&[id])).collect();
        let mut gone: Vec<_> = gone.iter().map(|objects| Box::pin(cache.find(objects))).collect();
        assert!(gone.iter_mut().all(|one| one.now_or_never().is_none()));
        drop(gone);
        assert_eq!(cache.0.turns.available_permits(), GrantCache::<()>::FLIGHTS);
        staged.let_go(2);
        assert!(now(&cache, &[1, 10]).is_ok());
        assert_eq!(staged.asked().last(), Some(&keys(&[1, 10])));
    }

    #[test]
    fn what_is_forgotten_while_it_is_loaded_is_loaded_again() {
        let ways: [fn(&GrantCache<()>); 2] = [GrantCache::forget_all, |cache| cache.forget_object(&key(1))];
        for forget in ways {
            let staged = Staged::held();
            staged.set(1, allowed(READ));
            let cache = staged.cache();
            let objects = keys(&[1]);
            let mut finding = pin!(cache.find(&objects));
            assert!(poll(&mut finding).is_none());
            staged.set(1, denied(READ));
            forget(&cache);
            staged.let_go(1);
            assert!(poll(&mut finding).is_none());
            // Who comes now waits for the second answer, not the first.
            let mut late = pin!(cache.find(&objects));
            assert!(poll(&mut late).is_none());
            staged.let_go(1);
            assert!(!may_read(&poll(&mut finding).unwrap().unwrap()[0]));
            assert!(!may_read(&poll(&mut late).unwrap().unwrap()[0]));
            assert_eq!(staged.asked().len(), 2);
        }
    }

    #[test]
    fn only_what_is_forgotten_is_asked_again() {
        let staged = Staged::open();
        let cache = staged.cache();
        let held = now(&cache, &[1, 2]).unwrap();
        cache.clone().forget_object(&key(2));
        assert!(held[0].current().is_some() && held[1].current().is_none());
        now(&cache, &[1, 2]).unwrap();
        assert_eq!(staged.asked()[1..], [keys(&[2])]);
        let epoch = cache.epoch();
        cache.forget_all();
        assert!(cache.epoch() > epoch && held[0].current().is_none());
        now(&cache, &[2, 1]).unwrap();
        assert_eq!(staged.asked()[2..], [keys(&[2, 1])]);
    }

    struct CodenameMismatch;

    impl GrantSource<()> for CodenameMismatch {
        async fn load(&self, (): &()) -> Result<UserGrants> {
            Ok(UserGrants::default())
        }

        async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
            assert!(objects.len() < 3, "too many");
            Ok(vec![Overwrites::new()])
        }
    }

    #[test]
    fn a_source_that_panics_or_answers_for_other_objects_is_a_fault() {
        let cache = GrantSource::into_cache(CodenameMismatch);
        assert!(now(&cache, &[1]).is_ok());
        for (ids, wanted) in [(&[2, 3][..], "asked for 2 objects and answered for 1"), (&[2, 3, 4], "panicked")] {
            let error = now(&cache, ids).err().unwrap();
            assert!(error.is_fault() && error.to_string().contains(wanted), "{error}");
        }
        assert_eq!(cache.0.turns.available_permits(), GrantCache::<()>::FLIGHTS);
    }

    #[test]
    fn a_cache_is_a_source_and_its_own_cache() {
        let staged = Staged::open();
        staged.grant([READ]);
        staged.set(1, allowed(READ));
        let cache = staged.cache();
        assert!(Arc::ptr_eq(&cache.clone().into_cache().0, &cache.0));
        assert!(cache.load(&()).now_or_never().unwrap().unwrap().grants.contains(READ));
        let one = cache.overwrites(&keys(&[1])).now_or_never().unwrap().unwrap();
        assert!(one[0].apply(&UserGrants::default(), "7").contains(READ));
        let none = CodenameMismatch.into_cache().clone();
        assert_eq!(format!("{none:?}"), "GrantCache { .. }");
    }
}
