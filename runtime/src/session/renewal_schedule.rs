//! When the rights of the sessions of an endpoint are renewed: one task per endpoint waits for the next of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    /// Wakes the task because a session is due earlier than those before.
    earlier: Notify,
}

#[derive(Default)]
struct ScheduleState {
    due: BinaryHeap<Reverse<(Instant, ConnectionId)>>,
    has_task: bool,
}

impl RenewalSchedule {
    /// Adds a session. Returns whether the task has to be spawned.
    pub(super) fn add(&self, at: Instant, id: ConnectionId) -> bool {
        let mut state = self.lock_state();
        let is_first = state.due.peek().is_none_or(|Reverse((first, _))| at < *first);
        state.due.push(Reverse((at, id)));
        if is_first {
            self.earlier.notify_one();
        }
        !std::mem::replace(&mut state.has_task, true)
    }

    /// Waits until a session is due, and removes and returns it. Returns `None` if no session is scheduled; the task then
    /// counts as ended.
    pub(super) async fn next(&self) -> Option<ConnectionId> {
        loop {
            let at = {
                let mut state = self.lock_state();
                let Some(Reverse((at, id))) = state.due.peek().copied() else {
                    state.has_task = false;
                    return None;
                };
                if at <= Instant::now() {
                    state.due.pop();
                    return Some(id);
                }
                at
            };
            tokio::select! {
                () = sleep_until(at) => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Records that the task has ended.
    pub(super) fn end_task(&self) {
        self.lock_state().has_task = false;
    }

    fn lock_state(&self) -> MutexGuard<'_, ScheduleState> {
        ignore_poison(self.state.lock())
    }
}
