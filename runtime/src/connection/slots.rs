//! The slots of one connection, which bound what it may have in flight beside its in-order queue.

use std::sync::{Arc, Weak};

use crate::dispatch::SlotKind;

/// The slots of one connection.
pub(super) struct Slots {
    max_detached: usize,
    /// The slots that are taken, and some that are free again. Boxed, and created with the first one, to keep an idle connection
    /// small.
    taken: Option<Box<Taken>>,
}

#[derive(Default)]
struct Taken(Vec<Weak<Slot>>);

/// A slot that is taken by a message. It is free again when the message is dropped, also by a task that has failed.
pub(super) struct Slot {
    kind: SlotKind,
}

impl Slots {
    pub(super) fn new(max_detached: usize) -> Slots {
        Slots { max_detached, taken: None }
    }

    /// Takes a slot. Returns `None` if all of its kind are taken.
    pub(super) fn take(&mut self, kind: SlotKind) -> Option<Arc<Slot>> {
        let Taken(taken) = &mut **self.taken.get_or_insert_default();
        taken.retain(|slot| slot.strong_count() > 0);
        let max_count = match kind {
            SlotKind::Detached => self.max_detached,
        };
        let count = taken.iter().filter_map(Weak::upgrade).filter(|slot| slot.kind == kind).count();
        if count >= max_count {
            return None;
        }
        let slot = Arc::new(Slot { kind });
        taken.push(Arc::downgrade(&slot));
        Some(slot)
    }

    /// Frees what is not in use.
    pub(super) fn shrink(&mut self) {
        self.taken.take_if(|taken| taken.0.iter().all(|slot| slot.strong_count() == 0));
    }
}
