use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::super::tests::fake_source::{FakeSource, READ, WRITE, allow_everyone, deny_everyone, key, keys};
use super::super::{GrantSet, Overwrites};
use super::*;
use crate::error::Error;

fn new_grants(source: &FakeSource) -> ConnectionGrants<()> {
    ConnectionGrants::new(source.cache())
}

fn may_on(grants: &ConnectionGrants<()>, codename: Codename, ids: &[u32]) -> bool {
    grants.evaluate_on(&(), "7", codename, &keys(ids)).now_or_never().unwrap().unwrap()
}

#[test]
fn grants_are_loaded_once_and_then_cached() {
    let source = FakeSource::blocked();
    source.grant([READ]);
    let grants = new_grants(&source);
    assert_eq!(grants.evaluate_cached(READ), None);
    let mut evaluations: Vec<_> = (0..9).map(|_| Box::pin(grants.evaluate(&(), "7", READ))).collect();
    assert!(evaluations.iter_mut().all(|one| one.now_or_never().is_none()));
    source.release(9);
    assert!(evaluations.iter_mut().all(|one| one.now_or_never().unwrap().unwrap()));
    assert_eq!((grants.evaluate_cached(READ), grants.evaluate_cached(WRITE)), (Some(true), Some(false)));
    assert_eq!(source.load_count(), 1);
}

#[test]
fn failed_load_is_not_cached() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    source.is_failing.store(true, Ordering::SeqCst);
    let grants = new_grants(&source);
    for _ in 0..2 {
        assert!(grants.evaluate(&(), "7", READ).now_or_never().unwrap().is_err());
        assert!(grants.evaluate_on(&(), "7", READ, &keys(&[1])).now_or_never().unwrap().is_err());
    }
    assert_eq!(grants.evaluate_cached(READ), None);
    source.is_failing.store(false, Ordering::SeqCst);
    assert!(grants.evaluate(&(), "7", READ).now_or_never().unwrap().unwrap());
    assert_eq!(source.load_count(), 5);
}

#[test]
fn cancelled_load_is_repeated_by_the_next_waiter() {
    let source = FakeSource::blocked();
    source.grant([READ]);
    let grants = new_grants(&source);
    let mut first = Box::pin(grants.evaluate(&(), "7", READ));
    let mut second = Box::pin(grants.evaluate(&(), "7", READ));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    drop(first);
    source.release(1);
    assert!((&mut second).now_or_never().unwrap().unwrap());
    assert_eq!(source.load_count(), 2);
}

#[test]
fn grants_forgotten_during_load_are_loaded_again() {
    let forget_functions: [fn(&ConnectionGrants<()>); 2] =
        [ConnectionGrants::forget, |grants| grants.cache.forget_all()];
    for forget in forget_functions {
        let source = FakeSource::blocked();
        source.grant([READ]);
        let grants = new_grants(&source);
        let mut evaluation = Box::pin(grants.evaluate(&(), "7", READ));
        assert!((&mut evaluation).now_or_never().is_none());
        source.grant([]);
        forget(&grants);
        source.release(1);
        assert!((&mut evaluation).now_or_never().is_none());
        assert_eq!(grants.evaluate_cached(READ), None);
        source.release(1);
        assert!(!evaluation.now_or_never().unwrap().unwrap());
        assert_eq!(source.load_count(), 2);
    }
}

#[test]
fn forget_affects_one_connection_and_forget_all_every_connection() {
    let source = FakeSource::immediate();
    let cache = source.cache();
    let (first, second) = (ConnectionGrants::new(cache.clone()), ConnectionGrants::new(cache.clone()));
    let cached = || (first.evaluate_cached(READ), second.evaluate_cached(READ));
    let load = || [&first, &second].map(|grants| grants.evaluate(&(), "7", READ).now_or_never().unwrap().unwrap());
    load();
    first.forget();
    assert_eq!(cached(), (None, Some(false)));
    load();
    cache.forget_all();
    assert_eq!(cached(), (None, None));
    load();
    assert_eq!((cached(), source.load_count()), ((Some(false), Some(false)), 5));
}

#[test]
fn overwrites_are_loaded_in_one_batch_and_then_cached() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    source.set_overwrites(2, deny_everyone(READ));
    source.set_overwrites(3, allow_everyone(WRITE));
    let grants = new_grants(&source);
    assert_eq!(grants.evaluate_cached_on(READ, &key(1)), None);
    assert!(!may_on(&grants, READ, &[1, 2, 3]));
    assert_eq!(source.requests(), [keys(&[1, 2, 3])]);
    assert!(may_on(&grants, READ, &[3, 1]) && may_on(&grants, WRITE, &[3]) && !may_on(&grants, WRITE, &[1, 3]));
    let cached = [1, 2, 3].map(|id| grants.evaluate_cached_on(READ, &key(id)));
    assert_eq!(cached, [Some(true), Some(false), Some(true)]);
    assert_eq!(grants.evaluate_cached_on(WRITE, &key(4)), None);
    assert!(may_on(&grants, READ, &[1, 4]));
    assert_eq!(source.requests()[1..], [keys(&[4])]);
}

#[test]
fn cached_denial_needs_no_further_load() {
    let source = FakeSource::immediate();
    let grants = new_grants(&source);
    assert!(!may_on(&grants, READ, &[1]));
    assert!(!may_on(&grants, READ, &[2, 1]));
    assert_eq!(source.requests(), [keys(&[1])]);
}

#[test]
fn administrator_never_loads_overwrites() {
    let source = FakeSource::immediate();
    source.user.lock().unwrap().grants = GrantSet::all();
    source.set_overwrites(1, deny_everyone(READ));
    let grants = new_grants(&source);
    assert!(may_on(&grants, READ, &[1, 2]));
    assert_eq!(grants.evaluate_cached_on(READ, &key(3)), Some(true));
    assert!(source.requests().is_empty());
}

#[test]
fn forgotten_object_is_loaded_again() {
    let source = FakeSource::immediate();
    let grants = new_grants(&source);
    assert!(!may_on(&grants, READ, &[1]));
    source.set_overwrites(1, allow_everyone(READ));
    grants.cache.forget_object(&key(1));
    assert_eq!(grants.evaluate_cached_on(READ, &key(1)), None);
    assert!(may_on(&grants, READ, &[1]));
    assert_eq!(grants.evaluate_cached_on(READ, &key(1)), Some(true));
}

#[test]
fn reloaded_grants_invalidate_object_grants() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    source.set_overwrites(1, Overwrites::new().allow_role("editor", WRITE));
    let grants = new_grants(&source);
    assert!(may_on(&grants, READ, &[1]) && !may_on(&grants, WRITE, &[1]));
    source.grant([]);
    source.user.lock().unwrap().roles = vec!["editor".to_owned()];
    grants.forget();
    assert_eq!(grants.evaluate_cached_on(READ, &key(1)), None);
    assert!(!may_on(&grants, READ, &[1]) && may_on(&grants, WRITE, &[1]));
    // The overwrites of the object are still cached.
    assert_eq!(source.requests(), [keys(&[1])]);
}

#[test]
fn grants_forgotten_during_object_load_are_loaded_again() {
    let source = FakeSource::blocked();
    source.grant([READ]);
    let grants = new_grants(&source);
    source.release(1);
    assert!(grants.evaluate(&(), "7", READ).now_or_never().unwrap().unwrap());
    let objects = keys(&[1]);
    let mut evaluation = Box::pin(grants.evaluate_on(&(), "7", READ, &objects));
    assert!((&mut evaluation).now_or_never().is_none());
    source.grant([]);
    grants.forget();
    source.release(1);
    assert!((&mut evaluation).now_or_never().is_none());
    source.release(1);
    assert!(!evaluation.now_or_never().unwrap().unwrap());
    assert_eq!((source.load_count(), source.requests().len()), (2, 1));
}

#[test]
fn number_of_cached_objects_is_bounded() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    let grants = new_grants(&source);
    for id in 0..1500 {
        assert!(may_on(&grants, READ, &[id]));
    }
    let cached = (0..1500).filter(|id| grants.evaluate_cached_on(READ, &key(*id)).is_some()).count();
    assert!(cached > 0 && cached <= GrantSnapshot::MAX_OBJECTS, "{cached}");
    let all: Vec<_> = (0..3000).collect();
    assert!(may_on(&grants, READ, &all) && !may_on(&grants, WRITE, &all));
}

/// Loads the grants again, and returns whether they have changed, and the objects that have.
fn find_changes(grants: &ConnectionGrants<()>) -> (bool, Vec<ObjectKey>) {
    grants.find_changes(&(), "7").now_or_never().unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn old_overwrites_are_loaded_again_before_another_connection_uses_them() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    let cache = source.cache();
    cache.limit_age(Some(Duration::from_secs(100)));
    let connections = [(); 4].map(|()| ConnectionGrants::new(cache.clone()));
    let [first, young, old, unchanged] = &connections;
    assert!(may_on(first, READ, &[1]));
    source.set_overwrites(1, deny_everyone(READ));
    sleep(Duration::from_secs(4)).await;
    assert!(may_on(young, READ, &[1]));
    assert_eq!(source.requests().len(), 1);
    sleep(Duration::from_secs(2)).await;
    assert!(!may_on(old, READ, &[1]));
    assert_eq!(first.evaluate_cached_on(READ, &key(1)), None, "other connections see that theirs are stale");
    assert!(!may_on(first, READ, &[1]) && !may_on(unchanged, READ, &[1]));
    assert_eq!(source.requests().len(), 2);
    assert_eq!(find_changes(young), (false, keys(&[1])), "the next renewal is told");
    assert_eq!(find_changes(first), (false, Vec::new()));
    sleep(Duration::from_secs(6)).await;
    let late = ConnectionGrants::new(cache);
    assert!(!may_on(&late, READ, &[1]));
    assert_eq!(old.evaluate_cached_on(READ, &key(1)), Some(false), "nothing has changed");
    assert_eq!((source.requests().len(), find_changes(&late)), (3, (false, Vec::new())));
}

#[tokio::test(start_paused = true)]
async fn renewal_loads_overwrites_again_if_grants_are_unchanged_changed_or_forgotten() {
    let changes: [fn(&FakeSource, &ConnectionGrants<()>); 3] =
        [|_, _| (), |source, _| source.grant([READ, WRITE]), |_, grants| grants.forget()];
    for (change, has_changed) in changes.into_iter().zip([false, true, false]) {
        let source = FakeSource::immediate();
        source.grant([READ]);
        let grants = new_grants(&source);
        grants.cache.limit_age(Some(Duration::from_secs(100)));
        assert!(may_on(&grants, READ, &[1]));
        source.set_overwrites(1, deny_everyone(READ));
        change(&source, &grants);
        sleep(Duration::from_mins(1)).await;
        assert_eq!(find_changes(&grants), (has_changed, keys(&[1])));
    }
}

#[tokio::test(start_paused = true)]
async fn overwrites_that_cannot_be_loaded_again_are_kept_by_the_connections_that_use_them() {
    let source = FakeSource::immediate();
    source.grant([READ]);
    let cache = source.cache();
    cache.limit_age(Some(Duration::from_secs(100)));
    let (first, second) = (ConnectionGrants::new(cache.clone()), ConnectionGrants::new(cache));
    assert!(may_on(&first, READ, &[1]));
    *source.failing_object.lock().unwrap() = Some((key(1), || Error::internal("torn page")));
    sleep(Duration::from_mins(1)).await;
    assert!(second.evaluate_on(&(), "7", READ, &keys(&[1])).now_or_never().unwrap().is_err());
    assert!(first.find_changes(&(), "7").now_or_never().unwrap().is_err());
    assert_eq!(first.evaluate_cached_on(READ, &key(1)), Some(true));
    *source.failing_object.lock().unwrap() = None;
    assert_eq!(find_changes(&first), (false, Vec::new()));
}
