use std::pin::{Pin, pin};

use super::super::tests::fake_source::{FakeSource, READ, allow_everyone, deny_everyone, key, keys};
use super::*;
use crate::grants::{GrantSource, UserGrants};

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
