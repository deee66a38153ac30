//! What is known of objects, and who waits for what is not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::batch::{Batch, BatchKey, BatchKeys, PendingLoad};
use super::object_key::ObjectKey;
use super::overwrites::Overwrites;

/// What one object overwrites, once it is loaded. Whoever holds it learns when it is not true any more.
#[derive(Default)]
pub(super) struct CachedOverwrites {
    overwrites: OnceLock<Overwrites>,
    stale: AtomicBool,
}

impl CachedOverwrites {
    /// What it says. `None` where nothing is loaded, or the object was forgotten since.
    pub(super) fn current(&self) -> Option<&Overwrites> {
        self.overwrites.get().filter(|_| !self.is_stale())
    }

    #[inline]
    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::SeqCst)
    }

    pub(super) fn load(&self, overwrites: Overwrites) {
        self.overwrites.get_or_init(|| overwrites);
    }

    fn forget(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }
}

/// The entries that nobody forgot. All of them are behind one lock, which no await and no foreign code stands under.
#[derive(Default)]
pub(super) struct LoaderState {
    slots: HashMap<ObjectKey, LoaderSlot>,
    /// The flight that departs next.
    next: Option<Arc<Batch>>,
    /// At how many slots those that nobody uses are dropped.
    prune_at: usize,
}

#[derive(Default)]
struct LoaderSlot {
    entry: Arc<CachedOverwrites>,
    /// What brings it.
    flight: Option<Arc<Batch>>,
}

/// The entries that were asked for, and what is to be waited for until they are loaded.
#[derive(Default)]
pub(super) struct BatchResult {
    pub(super) entries: SmallVec<[Arc<CachedOverwrites>; 1]>,
    pub(super) landings: SmallVec<[PendingLoad; 1]>,
}

impl LoaderState {
    /// How many slots are never too many.
    const FEW: usize = 64;

    /// The entries of these objects. What is missing joins a flight; `alone`, all of it one that nobody else joins.
    pub(super) fn board(
        &mut self,
        objects: &[ObjectKey],
        alone: bool,
        start: impl Fn(Arc<BatchKeys>) -> PendingLoad,
    ) -> BatchResult {
        self.prune();
        let (mut boarded, mut own) = (BatchResult::default(), None);
        for object in objects {
            let slot = self.slots.entry(object.clone()).or_default();
            if slot.entry.current().is_none() {
                let landing = slot.flight.as_ref().filter(|_| !alone).and_then(|flight| flight.join());
                let landing = landing.unwrap_or_else(|| {
                    let wanted = (object.clone(), slot.entry.clone());
                    if alone {
                        return book(&mut own, wanted, &start).1;
                    }
                    let (flight, landing) = book(&mut self.next, wanted, &start);
                    slot.flight = Some(flight);
                    landing
                });
                if !boarded.landings.iter().any(|known| known.ptr_eq(&landing)) {
                    boarded.landings.push(landing);
                }
            }
            boarded.entries.push(slot.entry.clone());
        }
        boarded
    }

    /// A flight has ended, well or not: nobody joins it any more.
    pub(super) fn landed(&mut self, wanted: &[BatchKey], list: &Arc<BatchKeys>) {
        for (object, _) in wanted {
            if let Some(slot) = self.slots.get_mut(object) {
                slot.flight.take_if(|flight| flight.has(list));
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
            self.prune_at = LoaderState::FEW.max(self.slots.len() * 2);
        }
    }
}

/// A place in the next flight.
fn book(
    next: &mut Option<Arc<Batch>>,
    wanted: BatchKey,
    start: impl Fn(Arc<BatchKeys>) -> PendingLoad,
) -> (Arc<Batch>, PendingLoad) {
    if let Some(flight) = next.as_ref()
        && let Some(landing) = flight.take_along(wanted.clone())
    {
        return (flight.clone(), landing);
    }
    let list = BatchKeys::of(wanted);
    let landing = start(list.clone());
    let flight = Batch::new(&list, &landing);
    *next = Some(flight.clone());
    (flight, landing)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake_source::key;
    use super::*;

    fn board(entries: &mut LoaderState, id: u32) -> SmallVec<[Arc<CachedOverwrites>; 1]> {
        use futures_util::FutureExt;
        let landing = |_| std::future::pending().boxed().shared();
        entries.board(&[key(id)], false, landing).entries
    }

    #[test]
    fn what_nobody_holds_is_dropped_before_the_map_doubles() {
        let mut entries = LoaderState::default();
        let held: Vec<_> = (0..50).map(|id| board(&mut entries, id)).collect();
        for id in 1000..20_000 {
            board(&mut entries, id);
            assert!(entries.slots.len() <= 2 * held.len() + LoaderState::FEW, "{}", entries.slots.len());
        }
        for (id, held) in (0..).zip(&held) {
            assert!(Arc::ptr_eq(&board(&mut entries, id)[0], &held[0]), "{id}");
        }
    }
}
