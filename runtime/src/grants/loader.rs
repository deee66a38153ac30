//! The loader: the cached overwrites of all objects, and the batches that load missing ones.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use smallvec::SmallVec;

use super::batch::{Batch, BatchKey, BatchKeys, PendingLoad};
use super::cached_overwrites::CachedOverwrites;
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;

/// The overwrites that have not been forgotten. One lock protects all of it; no await and no foreign code runs under it.
#[derive(Default)]
pub(super) struct LoaderState {
    slots: HashMap<ObjectKey, LoaderSlot>,
    /// The batch that new keys are added to.
    next_batch: Option<Arc<Batch>>,
    /// Number of slots at which unused ones are pruned.
    prune_at: usize,
    /// The objects for which a load has found other overwrites than the cached ones, until a renewal takes them.
    changed: HashSet<ObjectKey>,
}

#[derive(Default)]
struct LoaderSlot {
    entry: Arc<CachedOverwrites>,
    /// The batch that loads the entry.
    batch: Option<Arc<Batch>>,
}

/// The requested entries, and the loads to await until all of them are present.
#[derive(Default)]
pub(super) struct LoadRequest {
    pub(super) entries: SmallVec<[Arc<CachedOverwrites>; 1]>,
    pub(super) pending: SmallVec<[PendingLoad; 1]>,
}

impl LoaderState {
    /// With fewer slots pruning is not worth a pass.
    const MIN_PRUNE_SLOTS: usize = 64;

    /// Returns the entries of these objects. Missing ones, and those that were not loaded after `since`, join a batch; if
    /// `is_exclusive`, they share one batch that no other request joins. `start` creates the load of a new batch.
    pub(super) fn request(
        &mut self,
        objects: &[ObjectKey],
        since: Option<u64>,
        is_exclusive: bool,
        start: impl Fn(Arc<BatchKeys>) -> PendingLoad,
    ) -> LoadRequest {
        self.prune();
        let (mut request, mut exclusive_batch) = (LoadRequest::default(), None);
        for object in objects {
            let slot = self.slots.entry(object.clone()).or_default();
            if slot.entry.current().is_none() || since.is_some_and(|since| slot.entry.is_older_than(since)) {
                let load = slot.batch.as_ref().filter(|_| !is_exclusive).and_then(|batch| batch.join());
                let load = load.unwrap_or_else(|| {
                    let key = (object.clone(), slot.entry.clone());
                    if is_exclusive {
                        return enqueue(&mut exclusive_batch, key, &start).1;
                    }
                    let (batch, load) = enqueue(&mut self.next_batch, key, &start);
                    slot.batch = Some(batch);
                    load
                });
                if !request.pending.iter().any(|known| known.ptr_eq(&load)) {
                    request.pending.push(load);
                }
            }
            request.entries.push(slot.entry.clone());
        }
        request
    }

    /// Replaces entries for which other overwrites were loaded at `now`. Holders of the former ones see that these are stale.
    pub(super) fn replace(&mut self, changed: Vec<(&BatchKey, &Overwrites)>, now: u64) {
        for ((object, entry), overwrites) in changed {
            // An entry that was forgotten meanwhile has no slot, or another one has its slot.
            let slot = self.slots.get_mut(object).filter(|slot| Arc::ptr_eq(&slot.entry, entry));
            if let Some(slot) = slot {
                mem::take(&mut slot.entry).forget();
                slot.entry.renew(overwrites, now);
                self.changed.insert(object.clone());
            }
        }
    }

    /// Removes and returns the objects for which a load has found other overwrites.
    pub(super) fn take_changed(&mut self) -> HashSet<ObjectKey> {
        mem::take(&mut self.changed)
    }

    /// Removes a batch that has completed or failed, so that no request joins it.
    pub(super) fn finish_batch(&mut self, entries: &[BatchKey], keys: &Arc<BatchKeys>) {
        for (object, _) in entries {
            if let Some(slot) = self.slots.get_mut(object) {
                slot.batch.take_if(|batch| batch.has_keys(keys));
            }
        }
    }

    pub(super) fn forget(&mut self, object: &ObjectKey) {
        if let Some(slot) = self.slots.remove(object) {
            slot.entry.forget();
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.slots.drain().for_each(|(_, slot)| slot.entry.forget());
    }

    fn prune(&mut self) {
        if self.slots.len() >= self.prune_at {
            self.slots.retain(|_, slot| Arc::strong_count(&slot.entry) > 1);
            self.prune_at = LoaderState::MIN_PRUNE_SLOTS.max(self.slots.len() * 2);
        }
    }
}

/// Adds a key to the next batch, or to a new one if that cannot take it.
fn enqueue(
    next_batch: &mut Option<Arc<Batch>>,
    key: BatchKey,
    start: impl Fn(Arc<BatchKeys>) -> PendingLoad,
) -> (Arc<Batch>, PendingLoad) {
    if let Some(batch) = next_batch.as_ref()
        && let Some(load) = batch.enqueue(key.clone())
    {
        return (batch.clone(), load);
    }
    let keys = BatchKeys::new(key);
    let load = start(keys.clone());
    let batch = Batch::new(&keys, &load);
    *next_batch = Some(batch.clone());
    (batch, load)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake_source::key;
    use super::*;

    fn request(loader: &mut LoaderState, id: u32) -> SmallVec<[Arc<CachedOverwrites>; 1]> {
        use futures_util::FutureExt;
        let start = |_| std::future::pending().boxed().shared();
        loader.request(&[key(id)], None, false, start).entries
    }

    #[test]
    fn unused_slots_are_pruned_before_the_map_doubles() {
        let mut loader = LoaderState::default();
        let retained: Vec<_> = (0..50).map(|id| request(&mut loader, id)).collect();
        for id in 1000..20_000 {
            request(&mut loader, id);
            assert!(loader.slots.len() <= 2 * retained.len() + LoaderState::MIN_PRUNE_SLOTS, "{}", loader.slots.len());
        }
        for (id, entry) in (0..).zip(&retained) {
            assert!(Arc::ptr_eq(&request(&mut loader, id)[0], &entry[0]), "{id}");
        }
    }
}
