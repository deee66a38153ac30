//! The slots of one connection, which bound what it may have in flight beside its in-order queue.

use std::sync::{Arc, Weak};

use crate::dispatch::{SlotKind, SlotNeed};

/// The slots of one connection.
pub(super) struct Slots {
    max_detached: u32,
    max_streams: u32,
    /// The slots that are taken, and some that are free again. Boxed, and created with the first one, to keep an idle connection
    /// small.
    taken: Option<Box<Taken>>,
}

#[derive(Default)]
struct Taken(Vec<Weak<Slot>>);

/// The slots that a message has taken. They are free again when the message is dropped, also by a task that has failed.
pub(super) struct Slot {
    need: SlotNeed,
}

impl Slots {
    /// Creates free slots.
    pub(super) fn new(max_detached: usize, max_streams: usize) -> Slots {
        let saturate = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Slots { max_detached: saturate(max_detached), max_streams: saturate(max_streams), taken: None }
    }

    /// Takes the slots that a message needs.
    ///
    /// # Errors
    ///
    /// Returns the kind of which all slots are taken. Then none is.
    pub(super) fn take(&mut self, need: SlotNeed) -> Result<Arc<Slot>, SlotKind> {
        let Taken(taken) = &mut **self.taken.get_or_insert_default();
        taken.retain(|slot| slot.strong_count() > 0);
        let (mut detached, mut streams) = (0, 0);
        for slot in taken.iter().filter_map(Weak::upgrade) {
            detached += u32::from(slot.need.is_detached);
            streams += u32::from(slot.need.is_stream);
        }
        if need.is_detached && detached >= self.max_detached {
            return Err(SlotKind::Detached);
        }
        if need.is_stream && streams >= self.max_streams {
            return Err(SlotKind::Stream);
        }
        let slot = Arc::new(Slot { need });
        taken.push(Arc::downgrade(&slot));
        Ok(slot)
    }

    /// Frees what is not in use.
    pub(super) fn shrink(&mut self) {
        self.taken.take_if(|taken| taken.0.iter().all(|slot| slot.strong_count() == 0));
    }
}
