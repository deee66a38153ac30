//! When the rights of the sessions of an endpoint are renewed: one task per endpoint waits for the next of them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::context::ConnectionId;
use crate::sync::ignore_poison;

/// The times at which sessions are due.
#[derive(Default)]
pub(super) struct RenewalSchedule {
    /// Protects the times. No other lock is taken under it.
    state: Mutex<ScheduleState>,
    /// Wakes the task when a session is due earlier than all others, or when none is left.
    wakeup: Notify,
}

#[derive(Default)]
struct ScheduleState {
    due: BTreeSet<(Instant, ConnectionId)>,
    has_task: bool,
}

impl RenewalSchedule {
    /// Adds a session. Returns whether the task has to be spawned.
    pub(super) fn add(&self, at: Instant, id: ConnectionId) -> bool {
        let mut state = self.lock_state();
        let is_first = state.due.first().is_none_or(|(first, _)| at < *first);
        state.due.insert((at, id));
        if is_first {
            self.wakeup.notify_one();
        }
        !std::mem::replace(&mut state.has_task, true)
    }

    /// Removes a session that has ended. The task ends with the last one, so that it does not keep the endpoint alive.
    pub(super) fn remove(&self, at: Instant, id: ConnectionId) {
        let mut state = self.lock_state();
        state.due.remove(&(at, id));
        if state.due.is_empty() {
            self.wakeup.notify_one();
        }
    }

    /// Waits until a session is due, and removes and returns it. Returns `None` if no session is scheduled; the task then
    /// counts as ended.
    pub(super) async fn next(&self) -> Option<ConnectionId> {
        loop {
            let at = {
                let mut state = self.lock_state();
                let Some((at, id)) = state.due.first().copied() else {
                    state.has_task = false;
                    return None;
                };
                if at <= Instant::now() {
                    state.due.pop_first();
                    return Some(id);
                }
                at
            };
            tokio::select! {
                () = sleep_until(at) => {}
                () = self.wakeup.notified() => {}
            }
        }
    }

    /// Records that the task was dropped before [`next`](RenewalSchedule::next) has returned `None`.
    pub(super) fn end_task(&self) {
        self.lock_state().has_task = false;
    }

    fn lock_state(&self) -> MutexGuard<'_, ScheduleState> {
        ignore_poison(self.state.lock())
    }
}
