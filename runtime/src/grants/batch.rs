//! One question to the source about objects that several checks wait for together. Whoever waits drives it; it is gone
//! when nobody waits any more, and it does not end with the one who began it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::cache::Inner;
use super::loader::CachedOverwrites;
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;
use super::source::ErasedSource;
use crate::error::{Error, Result};
use crate::panic::catch_unwind_future;
use crate::sync::ignore_poison;

/// The end of a flight, for everybody who waits for it.
pub(super) type PendingLoad = Shared<BoxFuture<'static, Result<(), BatchFailure>>>;

/// An object that somebody waits for.
pub(super) type BatchKey = (ObjectKey, Arc<CachedOverwrites>);

/// What a flight is to bring. Closed when it departs.
pub(super) struct BatchKeys(Mutex<Option<Vec<BatchKey>>>);

impl BatchKeys {
    pub(super) fn of(first: BatchKey) -> Arc<BatchKeys> {
        Arc::new(BatchKeys(Mutex::new(Some(vec![first]))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<BatchKey>>> {
        ignore_poison(self.0.lock())
    }
}

/// A flight that is under way, or about to depart.
pub(super) struct Batch {
    began: Instant,
    list: Weak<BatchKeys>,
    landing: Option<WeakShared<BoxFuture<'static, Result<(), BatchFailure>>>>,
}

impl Batch {
    /// How many objects it takes, so that it can be one query.
    const MOST: usize = 1000;
    /// For how long others join it. One that hangs is then asked anew.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(super) fn new(list: &Arc<BatchKeys>, landing: &PendingLoad) -> Arc<Batch> {
        let (list, landing) = (Arc::downgrade(list), landing.downgrade());
        Arc::new(Batch { began: Instant::now(), list, landing })
    }

    /// Waits for it too. `None` where it is not to be waited for any more.
    pub(super) fn join(&self) -> Option<PendingLoad> {
        if self.began.elapsed() > Batch::PATIENCE {
            return None;
        }
        self.landing.as_ref()?.upgrade()
    }

    /// Puts an object on its list. `None` where it is closed or full.
    pub(super) fn take_along(&self, wanted: BatchKey) -> Option<PendingLoad> {
        let list = self.list.upgrade()?;
        let mut list = list.lock();
        let list = list.as_mut().filter(|list| list.len() < Batch::MOST)?;
        // Last, as it must not be given up here: it could be the end of the flight, and that runs the source's code.
        let landing = self.join()?;
        list.push(wanted);
        Some(landing)
    }

    pub(super) fn has(&self, list: &Arc<BatchKeys>) -> bool {
        Weak::ptr_eq(&self.list, &Arc::downgrade(list))
    }
}

/// What a flight did not bring.
#[derive(Clone)]
pub(super) struct BatchFailure {
    error: Arc<Error>,
    objects: Arc<[ObjectKey]>,
}

impl BatchFailure {
    /// Whether it was a question for nothing but these.
    pub(super) fn is_of(&self, objects: &[ObjectKey]) -> bool {
        self.objects.iter().all(|object| objects.contains(object))
    }

    /// The error for one of many who asked.
    pub(super) fn error(&self) -> Error {
        let error = &self.error;
        if error.is_fault() {
            return Error::internal(error.clone());
        }
        if let Some(after) = error.retry_after() {
            return Error::too_many_requests(after);
        }
        Error::new(error.status(), error.code().to_owned(), error.detail().to_owned())
    }
}

/// Waits for its turn, closes its list and asks for everything on it.
pub(super) async fn fly<U>(cache: Arc<Inner<U>>, list: Arc<BatchKeys>) -> Result<(), BatchFailure> {
    let _turn = cache.turns.acquire().await;
    let wanted = list.lock().take().unwrap_or_default();
    // One that was forgotten and wanted again while this waited is on the list twice.
    let mut places = HashMap::with_capacity(wanted.len());
    for (object, _) in &wanted {
        let next = places.len();
        places.entry(object.clone()).or_insert(next);
    }
    let mut objects: Vec<_> = places.iter().collect();
    objects.sort_unstable_by_key(|(_, place)| **place);
    let objects: Arc<[ObjectKey]> = objects.into_iter().map(|(object, _)| object.clone()).collect();
    let answered = catch_unwind_future(ask(&*cache.source, &objects)).await;
    let answered = answered.unwrap_or_else(|_| Err(Error::internal("the source of the grants panicked")));
    let landed = answered.map(|all| {
        for (object, entry) in &wanted {
            if let Some(overwrites) = places.get(object).and_then(|place| all.get(*place)) {
                entry.load(overwrites.clone());
            }
        }
    });
    cache.entries().landed(&wanted, &list);
    landed.map_err(|error| BatchFailure { error: Arc::new(error), objects })
}

async fn ask<U>(source: &dyn ErasedSource<U>, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
    let all = source.objects(objects).await?;
    if all.len() == objects.len() {
        return Ok(all);
    }
    let (asked, came) = (objects.len(), all.len());
    Err(Error::internal(format!("the source of the grants was asked for {asked} objects and answered for {came}")))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::tests::fake_source::key;
    use super::*;

    fn booked() -> (Batch, Arc<BatchKeys>, PendingLoad) {
        let list = BatchKeys::of((key(1), Arc::default()));
        let landing = std::future::pending().boxed().shared();
        (Arc::into_inner(Batch::new(&list, &landing)).unwrap(), list, landing)
    }

    #[test]
    fn a_flight_is_joined_while_it_is_young_and_somebody_waits_for_it() {
        let (mut flight, _list, landing) = booked();
        assert!(flight.join().unwrap().ptr_eq(&landing));
        flight.began = Instant::now().checked_sub(2 * Batch::PATIENCE).unwrap();
        assert!(flight.join().is_none());
        assert!(flight.take_along((key(2), Arc::default())).is_none());
        let (flight, _list, landing) = booked();
        drop(landing);
        assert!(flight.join().is_none());
    }

    #[test]
    fn a_flight_takes_along_what_comes_before_it_departs_and_not_too_much() {
        let (flight, list, _landing) = booked();
        let taken = (1..2000).filter(|id| flight.take_along((key(*id), Arc::default())).is_some()).count();
        assert_eq!(taken, Batch::MOST - 1);
        assert_eq!(list.lock().take().map(|list| list.len()), Some(Batch::MOST));
        assert!(flight.take_along((key(1), Arc::default())).is_none());
    }

    #[test]
    fn each_who_asked_has_the_source_s_own_word() {
        let error = |error| BatchFailure { error: Arc::new(error), objects: Arc::new([]) }.error();
        let fault = error(Error::internal("no database"));
        assert!(fault.is_fault() && fault.to_string().contains("no database"), "{fault}");
        let after = error(Error::too_many_requests(Duration::from_secs(3)));
        assert_eq!((after.code(), after.retry_after()), ("too_many_requests", Some(Duration::from_secs(3))));
        let conflict = error(Error::conflict("closed"));
        assert_eq!((conflict.status().as_u16(), conflict.detail()), (409, "closed"));
    }
}
