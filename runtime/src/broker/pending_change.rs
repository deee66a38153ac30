//! Changes of rights that other machines have yet to acknowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::machine_id::MachineId;
use crate::sync::ignore_poison;

/// The changes of a machine that wait.
#[derive(Default)]
pub(super) struct PendingChanges {
    state: Mutex<ChangesState>,
}

#[derive(Default)]
struct ChangesState {
    last_id: u64,
    changes: BTreeMap<u64, PendingChange>,
}

struct PendingChange {
    began_at: Instant,
    /// The number of its message on the control channel. `None` until it is sent.
    sequence: Option<u64>,
    /// When that message was back: the broker has passed it on to all that hear it.
    returned_at: Option<Instant>,
    acknowledged: BTreeSet<MachineId>,
    /// The machines that were there when the message was back, and have not acknowledged the change.
    missing: BTreeSet<MachineId>,
    progress: Arc<Notify>,
}

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeProgress {
    pub(super) began_at: Instant,
    /// When the message of the change was back.
    pub(super) returned_at: Option<Instant>,
    pub(super) acknowledged: BTreeSet<MachineId>,
    pub(super) missing: BTreeSet<MachineId>,
}

impl ChangeProgress {
    /// Returns whether the change holds on all machines that were heard of.
    pub(super) fn is_complete(&self) -> bool {
        self.returned_at.is_some() && self.missing.is_empty()
    }
}

impl PendingChanges {
    /// Begins a change. Returns its id, and what is notified of its progress.
    pub(super) fn begin(&self, now: Instant) -> (u64, Arc<Notify>) {
        let mut state = ignore_poison(self.state.lock());
        state.last_id += 1;
        let (id, progress) = (state.last_id, Arc::new(Notify::new()));
        let (acknowledged, missing) = (BTreeSet::new(), BTreeSet::new());
        let (began_at, progress_notify) = (now, progress.clone());
        let change = PendingChange {
            began_at,
            sequence: None,
            returned_at: None,
            acknowledged,
            missing,
            progress: progress_notify,
        };
        state.changes.insert(id, change);
        (id, progress)
    }

    /// Records the number of the message of a change.
    pub(super) fn record_sent(&self, id: u64, sequence: u64) {
        if let Some(change) = ignore_poison(self.state.lock()).changes.get_mut(&id) {
            change.sequence = Some(sequence);
        }
    }

    /// Records that an own message on the control channel is back. These machines were there by then: what they sent before
    /// the broker passed the message on has been received.
    pub(super) fn record_returned(&self, sequence: u64, machines: &BTreeSet<MachineId>, now: Instant) {
        for change in ignore_poison(self.state.lock()).changes.values_mut() {
            if change.sequence == Some(sequence) {
                change.returned_at = Some(now);
                change.missing = machines - &change.acknowledged;
                change.progress.notify_one();
            }
        }
    }

    /// Records that a machine has applied a change.
    pub(super) fn acknowledge(&self, id: u64, machine: MachineId) {
        if let Some(change) = ignore_poison(self.state.lock()).changes.get_mut(&id) {
            change.missing.remove(&machine);
            change.acknowledged.insert(machine);
            change.progress.notify_one();
        }
    }

    /// Records that a machine has no connections any more.
    pub(super) fn depart(&self, machine: MachineId) {
        for change in ignore_poison(self.state.lock()).changes.values_mut() {
            if change.missing.remove(&machine) {
                change.progress.notify_one();
            }
        }
    }

    /// Returns how far a change has come.
    pub(super) fn progress(&self, id: u64) -> Option<ChangeProgress> {
        ignore_poison(self.state.lock()).changes.get(&id).map(|change| ChangeProgress {
            began_at: change.began_at,
            returned_at: change.returned_at,
            acknowledged: change.acknowledged.clone(),
            missing: change.missing.clone(),
        })
    }

    /// Forgets a change.
    pub(super) fn end(&self, id: u64) {
        ignore_poison(self.state.lock()).changes.remove(&id);
    }
}
