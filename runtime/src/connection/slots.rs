//! What one connection has in flight: the slots, which bound what is outside of the in-order queue, and which message a
//! request id belongs to, for `cancel`.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use crate::consumer::Consumer;
use crate::dispatch::{Dispatcher, SlotKind, SlotNeed};

/// The slots of one connection.
pub(super) struct Slots {
    max_detached: u32,
    max_streams: u32,
    /// The slots that are taken, and some that are free again. Boxed, and created with the first one, to keep an idle
    /// connection small.
    taken: Option<Box<Taken>>,
}

#[derive(Default)]
struct Taken(Vec<Weak<Slot>>);

/// The slots that a message has taken. They are free again when the message is dropped, also by a task that has failed.
pub(super) struct Slot {
    need: SlotNeed,
    /// `None` if the message cannot be cancelled.
    cancellable: Option<Cancellable>,
}

/// A message that can be cancelled.
pub(super) struct Cancellable {
    /// Its request id as JSON, as the client has written it.
    pub(super) request_id: Box<str>,
    pub(super) cancellation: CancellationToken,
}

impl Cancellable {
    /// Returns `None` if the message that is dispatched cannot be cancelled.
    pub(super) fn new<C: Consumer>(dispatcher: &Dispatcher<C>, text: &str) -> Option<Cancellable> {
        let request_id = dispatcher.cancellable_id(text)?;
        Some(Cancellable { request_id, cancellation: dispatcher.cancellation.clone()? })
    }
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
    pub(super) fn take(&mut self, need: SlotNeed, cancellable: Option<Cancellable>) -> Result<Arc<Slot>, SlotKind> {
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
        let slot = Arc::new(Slot { need, cancellable });
        taken.push(Arc::downgrade(&slot));
        Ok(slot)
    }

    /// Records a message that needs no slot and can be cancelled until the returned handle is dropped.
    pub(super) fn record(&mut self, cancellable: Cancellable) -> Arc<Slot> {
        let slot = Arc::new(Slot { need: SlotNeed::NONE, cancellable: Some(cancellable) });
        let Taken(taken) = &mut **self.taken.get_or_insert_default();
        // Otherwise a client that always has a message in flight would let the list grow.
        if taken.len() == taken.capacity() {
            taken.retain(|slot| slot.strong_count() > 0);
        }
        taken.push(Arc::downgrade(&slot));
        slot
    }

    /// Cancels all messages in flight that have that request id.
    pub(super) fn cancel(&self, request_id: &str) {
        let taken = self.taken.iter().flat_map(|taken| &taken.0).filter_map(Weak::upgrade);
        for slot in taken {
            if let Some(cancellable) = slot.cancellable.as_ref().filter(|message| *message.request_id == *request_id) {
                cancellable.cancellation.cancel();
            }
        }
    }

    /// Frees what is not in use.
    pub(super) fn shrink(&mut self) {
        self.taken.take_if(|taken| {
            taken.0.retain(|slot| slot.strong_count() > 0);
            taken.0.shrink_to_fit();
            taken.0.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancellable(id: &str) -> Cancellable {
        Cancellable { request_id: id.into(), cancellation: CancellationToken::new() }
    }

    #[test]
    fn list_is_bounded_while_a_message_is_always_in_flight() {
        let mut slots = Slots::new(8, 8);
        let mut in_flight = slots.record(cancellable("0"));
        for id in 1..10_000 {
            in_flight = slots.record(cancellable(&id.to_string()));
        }
        let Taken(taken) = &**slots.taken.as_ref().unwrap();
        assert!(taken.capacity() <= 16, "{}", taken.capacity());
        slots.cancel("9999");
        assert!(in_flight.cancellable.as_ref().unwrap().cancellation.is_cancelled());
        drop(in_flight);
        slots.shrink();
        assert!(slots.taken.is_none());
    }
}
