//! Backpressure on a publisher: while a reader that could not run yet has a long send queue, a publishing connection
//! dispatches no further message, and [`Publisher::ready`](crate::Publisher::ready) waits.
//!
//! A reader is slow if it has run and its socket could not take the queued events, because its client does not read. It
//! delays no publisher; the overflow policy applies to it. A reader whose task has not run since the events were queued is
//! not slow: one task publishes as fast as it can while the other tasks wait for a thread. If more than half of the limits
//! of such a reader's queue is used after a publication, the reader holds the publisher by a [`Hold`]. Task-locals identify
//! the publishing connection and the publishing handle; both are held if an action publishes by a handle. The hold is
//! released when the reader has run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{coop, yield_now};
use tokio::time::timeout;

use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, lock};

/// The longest time that a publisher is held before it dispatches one message, or in one call of
/// [`Publisher::ready`](crate::Publisher::ready).
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// The number of attempted deliveries after which a publisher yields to other tasks: one publication to a large group may
/// reach it.
pub(crate) const MAX_DELIVERIES_PER_TURN: u32 = 8192;

tokio::task_local! {
    /// The pacer of the connection that this task runs for.
    pub(crate) static PACER: Arc<Pacer>;
    /// The pacer of the [`Publisher`](crate::Publisher) that publishes. Set during a publication if its `ready` was called.
    pub(crate) static HANDLE_PACER: Arc<Pacer>;
}

/// Counts the holds on one publisher, a connection or a handle, and the deliveries that it has attempted.
pub(crate) struct Pacer {
    /// Whether `holds.count` is above zero. Read before every message.
    is_held: AtomicBool,
    /// The deliveries attempted since [`take_deliveries`](Pacer::take_deliveries) was last called.
    deliveries: AtomicU32,
    /// Protects the number of holds and the number of the pause. Lock order: after `SendQueue::state` and
    /// `Session::deferred`; no lock is taken under it.
    holds: Mutex<Holds>,
    /// Notified when the last hold is released. Several tasks may wait for one handle.
    release: Notify,
}

struct Holds {
    count: u32,
    /// The number of the current pause. Holds of earlier pauses are ignored.
    pause: u32,
}

/// Holds a publisher until the value is dropped or the pause ends.
pub(crate) struct Hold {
    pacer: Arc<Pacer>,
    pause: u32,
}

/// The publishers that one reader holds. The list is boxed, because it is empty for most sessions.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "a third of the size of the list in every idle connection")]
pub(crate) struct PausedPublishers(Option<Box<Vec<Hold>>>);

impl PausedPublishers {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Holds the connection that the current task runs for and the handle that publishes, each if there is one and it is not
    /// yet held in its current pause. If `at_most_once` is set, a publisher that was held in an earlier pause is not held
    /// again.
    #[cold]
    pub(crate) fn hold_current(&mut self, at_most_once: bool) {
        for current in [&PACER, &HANDLE_PACER] {
            let _ = current.try_with(|pacer| self.hold(pacer, at_most_once));
        }
    }

    /// Holds one publisher, as [`hold_current`](Self::hold_current) does.
    pub(super) fn hold(&mut self, pacer: &Arc<Pacer>, at_most_once: bool) {
        let list = self.0.get_or_insert_default();
        let index = list.iter().position(|hold| Arc::ptr_eq(&hold.pacer, pacer));
        if at_most_once && index.is_some() {
            return;
        }
        if index.is_none() {
            // The list would otherwise grow with every publisher that has ended since.
            list.retain(|hold| Arc::strong_count(&hold.pacer) > 1);
        }
        let mut holds = lock(&pacer.holds);
        if let Some(index) = index {
            if list[index].pause == holds.pause {
                return;
            }
            list[index].pause = holds.pause;
        } else {
            list.push(Hold { pacer: pacer.clone(), pause: holds.pause });
        }
        holds.count += 1;
        pacer.is_held.store(true, Ordering::Relaxed);
    }
}

impl Pacer {
    pub(crate) fn new() -> Arc<Pacer> {
        Arc::new(Pacer {
            is_held: AtomicBool::new(false),
            deliveries: AtomicU32::new(0),
            holds: Mutex::new(Holds { count: 0, pause: 0 }),
            release: Notify::new(),
        })
    }

    /// Returns whether a reader holds the publisher.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Relaxed)
    }

    /// Waits until no reader holds the publisher, for at most 100 ms.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the holds stay and the next call waits for them.
    pub(crate) async fn ready(&self) {
        if timeout(MAX_PAUSE, self.wait_for_release()).await.is_err() {
            let mut holds = lock(&self.holds);
            holds.pause = holds.pause.wrapping_add(1);
            holds.count = 0;
            self.is_held.store(false, Ordering::Relaxed);
            drop(holds);
            self.release.notify_waiters();
        }
    }

    /// Waits before a publication as [`Publisher::ready`](crate::Publisher::ready) describes.
    pub(crate) async fn before_publication(&self) {
        if self.is_held() {
            self.ready().await;
        }
        // A loop whose readers keep up never waits above, and would let no other task of its thread run.
        if self.has_finished_turn() {
            yield_now().await;
        } else {
            coop::consume_budget().await;
        }
    }

    /// Waits until no reader holds the publisher.
    pub(super) async fn wait_for_release(&self) {
        loop {
            // Created before the count is read, so that it misses no release after that.
            let release = self.release.notified();
            if lock(&self.holds).count == 0 {
                return;
            }
            release.await;
        }
    }

    /// Counts attempted deliveries of the connection that this task runs for, if it runs for one.
    pub(crate) fn record_deliveries_of_connection(deliveries: usize) {
        let _ = PACER.try_with(|pacer| pacer.record_deliveries(deliveries));
    }

    /// Counts attempted deliveries.
    pub(crate) fn record_deliveries(&self, deliveries: usize) {
        let deliveries = u32::try_from(deliveries).unwrap_or(u32::MAX);
        self.deliveries.fetch_add(deliveries, Ordering::Relaxed);
    }

    /// Returns whether [`MAX_DELIVERIES_PER_TURN`] is reached, so that the publisher has to yield. Resets the count if so.
    pub(crate) fn has_finished_turn(&self) -> bool {
        let has_finished = self.deliveries.load(Ordering::Relaxed) >= MAX_DELIVERIES_PER_TURN;
        if has_finished {
            self.deliveries.store(0, Ordering::Relaxed);
        }
        has_finished
    }

    /// Takes the number of deliveries since the last call.
    #[inline]
    pub(crate) fn take_deliveries(&self) -> u32 {
        match self.deliveries.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.deliveries.swap(0, Ordering::Relaxed),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = lock(&self.pacer.holds);
        if holds.pause != self.pause {
            return;
        }
        holds.count -= 1;
        if holds.count == 0 {
            self.pacer.is_held.store(false, Ordering::Relaxed);
            drop(holds);
            self.pacer.release.notify_waiters();
        }
    }
}
