//! A batch: one call to the source for objects that several checks wait for. Any waiter drives it. It continues if the
//! waiter that started it is cancelled, and is dropped with its last waiter.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::cached_overwrites::CachedOverwrites;
use super::object_key::ObjectKey;
use crate::error::Error;
use crate::sync::ignore_poison;

/// The result of a batch, shared by all waiters.
pub(super) type PendingLoad = Shared<BoxFuture<'static, Result<(), BatchFailure>>>;

/// An object to load, and where to store its overwrites.
pub(super) type BatchKey = (ObjectKey, Arc<CachedOverwrites>);

/// The keys of a batch. `None` once the batch has started. The lock of the loader is taken before this one.
pub(super) struct BatchKeys(Mutex<Option<Vec<BatchKey>>>);

impl BatchKeys {
    pub(super) fn new(first: BatchKey) -> Arc<BatchKeys> {
        Arc::new(BatchKeys(Mutex::new(Some(vec![first]))))
    }

    /// Starts the batch: takes its keys, and accepts no further one.
    pub(super) fn take(&self) -> Vec<BatchKey> {
        self.lock().take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<BatchKey>>> {
        ignore_poison(self.0.lock())
    }
}

/// A handle on a batch that is queued or running. It does not keep the batch alive.
pub(super) struct Batch {
    started_at: Instant,
    keys: Weak<BatchKeys>,
    load: Option<WeakShared<BoxFuture<'static, Result<(), BatchFailure>>>>,
}

impl Batch {
    /// Bounds the size of one query.
    pub(super) const MAX_KEYS: usize = 1000;
    /// The time from the creation of a batch in which further checks may wait for it. After that the batch is assumed to
    /// hang, and its keys are loaded again.
    const JOIN_WINDOW: Duration = Duration::from_secs(5);

    pub(super) fn new(keys: &Arc<BatchKeys>, load: &PendingLoad) -> Arc<Batch> {
        let (keys, load) = (Arc::downgrade(keys), load.downgrade());
        Arc::new(Batch { started_at: Instant::now(), keys, load })
    }

    /// Returns the pending load, or `None` if it has no waiter left or the join window is over.
    pub(super) fn join(&self) -> Option<PendingLoad> {
        if self.started_at.elapsed() > Batch::JOIN_WINDOW {
            return None;
        }
        self.load.as_ref()?.upgrade()
    }

    /// Adds a key and returns the pending load, or `None` if the batch has started, is full, or cannot be joined.
    pub(super) fn enqueue(&self, key: BatchKey) -> Option<PendingLoad> {
        let keys = self.keys.upgrade()?;
        let mut keys = keys.lock();
        let keys = keys.as_mut().filter(|keys| keys.len() < Batch::MAX_KEYS)?;
        // Joins last, so that no early return drops the load here: dropping the last handle drops the source's future, which
        // is foreign code, under the locks.
        let load = self.join()?;
        keys.push(key);
        Some(load)
    }

    /// Returns whether this is the batch of these keys.
    pub(super) fn has_keys(&self, keys: &Arc<BatchKeys>) -> bool {
        Weak::ptr_eq(&self.keys, &Arc::downgrade(keys))
    }
}

/// The error of a batch, and the objects that the batch was for.
#[derive(Clone)]
pub(super) struct BatchFailure {
    error: Arc<Error>,
    objects: Arc<[ObjectKey]>,
}

impl BatchFailure {
    pub(super) fn new(error: Error, objects: Arc<[ObjectKey]>) -> BatchFailure {
        BatchFailure { error: Arc::new(error), objects }
    }

    /// Returns whether every object of the batch is one of these.
    pub(super) fn is_only_about(&self, objects: &[ObjectKey]) -> bool {
        self.objects.iter().all(|object| objects.contains(object))
    }

    /// Creates the error for one of the waiters.
    pub(super) fn to_error(&self) -> Error {
        share_error(&self.error)
    }
}

/// Creates the error for one of the checks that waited for a load.
pub(super) fn share_error(error: &Arc<Error>) -> Error {
    if error.is_fault() {
        return Error::internal(error.clone());
    }
    if let Some(after) = error.retry_after() {
        return Error::too_many_requests(after);
    }
    Error::new(error.status(), error.code().to_owned(), error.detail().to_owned())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::tests::fake_source::key;
    use super::*;

    fn new_batch() -> (Batch, Arc<BatchKeys>, PendingLoad) {
        let keys = BatchKeys::new((key(1), Arc::default()));
        let load = std::future::pending().boxed().shared();
        (Arc::into_inner(Batch::new(&keys, &load)).unwrap(), keys, load)
    }

    #[test]
    fn batch_is_joined_while_it_is_young_and_awaited() {
        let (mut batch, _keys, load) = new_batch();
        assert!(batch.join().unwrap().ptr_eq(&load));
        batch.started_at = Instant::now().checked_sub(2 * Batch::JOIN_WINDOW).unwrap();
        assert!(batch.join().is_none());
        assert!(batch.enqueue((key(2), Arc::default())).is_none());
        let (batch, _keys, load) = new_batch();
        drop(load);
        assert!(batch.join().is_none());
    }

    #[test]
    fn batch_accepts_keys_until_it_starts_or_is_full() {
        let (batch, keys, _load) = new_batch();
        let enqueued = (1..2000).filter(|id| batch.enqueue((key(*id), Arc::default())).is_some()).count();
        assert_eq!(enqueued, Batch::MAX_KEYS - 1);
        assert_eq!(keys.lock().take().map(|keys| keys.len()), Some(Batch::MAX_KEYS));
        assert!(batch.enqueue((key(1), Arc::default())).is_none());
    }

    #[test]
    fn each_waiter_gets_the_error_of_the_source() {
        let error = |error| BatchFailure { error: Arc::new(error), objects: Arc::new([]) }.to_error();
        let fault = error(Error::internal("no database"));
        assert!(fault.is_fault() && fault.to_string().contains("no database"), "{fault}");
        let after = error(Error::too_many_requests(Duration::from_secs(3)));
        assert_eq!((after.code(), after.retry_after()), ("too_many_requests", Some(Duration::from_secs(3))));
        let conflict = error(Error::conflict("closed"));
        assert_eq!((conflict.status().as_u16(), conflict.detail()), (409, "closed"));
    }
}
