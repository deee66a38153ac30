//! Backpressure on a connection that publishes: it dispatches no further message while a reader that could not run yet has
//! a long send queue.
//!
//! A reader is slow if it has run and its socket could not take the queued events, because its client does not read. It
//! delays no publisher; the overflow policy applies to it. A reader whose task has not run since the events were queued is
//! not slow: one task publishes as fast as it can while the other tasks wait for a thread. If more than half of the limits
//! of such a reader's queue is used after a publication, the reader holds the publishing connection by a [`Hold`]; a
//! task-local identifies the publishing connection. The hold is released when the reader has run.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::timeout;

use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, lock};

/// The longest time that a connection is held before it dispatches one message.
const MAX_PAUSE: Duration = Duration::from_millis(100);

tokio::task_local! {
    /// The pacer of the connection that this task runs for.
    pub(crate) static PACER: Arc<Pacer>;
}

/// Counts the holds on one connection and the deliveries that it has attempted.
pub(crate) struct Pacer {
    /// Whether `holds.count` is above zero. Read before every message.
    is_held: AtomicBool,
    /// The deliveries attempted since [`take_deliveries`](Pacer::take_deliveries) was last called.
    deliveries: AtomicU32,
    /// Protects the number of holds, the number of the pause and the waker of the paused connection. Lock order: after
    /// `SendQueue::state` and `Session::deferred`; no lock is taken under it.
    holds: Mutex<Holds>,
}

struct Holds {
    count: u32,
    /// The number of the current pause. Holds of earlier pauses are ignored.
    pause: u32,
    waker: Option<Waker>,
}

/// Holds a connection until the value is dropped or the pause ends.
pub(crate) struct Hold {
    pacer: Arc<Pacer>,
    pause: u32,
}

/// The connections that one reader holds. The list is boxed, because it is empty for most sessions.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "a third of the size of the list in every idle connection")]
pub(crate) struct PausedPublishers(Option<Box<Vec<Hold>>>);

impl PausedPublishers {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Holds the connection that the current task runs for, if there is one and it is not yet held in its current pause. If
    /// `at_most_once` is set, a connection that was held in an earlier pause is not held again.
    #[cold]
    pub(crate) fn hold_current(&mut self, at_most_once: bool) {
        let _ = PACER.try_with(|pacer| {
            let list = self.0.get_or_insert_default();
            let index = list.iter().position(|hold| Arc::ptr_eq(&hold.pacer, pacer));
            if at_most_once && index.is_some() {
                return;
            }
            if index.is_none() {
                // The list would otherwise grow with every connection that has ended since.
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
        });
    }
}

impl Pacer {
    pub(crate) fn new() -> Arc<Pacer> {
        let holds = Holds { count: 0, pause: 0, waker: None };
        Arc::new(Pacer { is_held: AtomicBool::new(false), deliveries: AtomicU32::new(0), holds: Mutex::new(holds) })
    }

    /// Whether a reader holds the connection.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Relaxed)
    }

    /// Waits until no reader holds the connection, for at most 100 ms.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the holds stay and the next call waits for them.
    pub(crate) async fn ready(&self) {
        if timeout(MAX_PAUSE, std::future::poll_fn(|cx| self.poll_ready(cx))).await.is_err() {
            let mut holds = lock(&self.holds);
            holds.pause = holds.pause.wrapping_add(1);
            holds.count = 0;
            self.is_held.store(false, Ordering::Relaxed);
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut holds = lock(&self.holds);
        if holds.count == 0 {
            return Poll::Ready(());
        }
        holds.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Counts deliveries of the connection that this task runs for, if it runs for one.
    pub(crate) fn record_deliveries(deliveries: usize) {
        let deliveries = u32::try_from(deliveries).unwrap_or(u32::MAX);
        let _ = PACER.try_with(|pacer| pacer.deliveries.fetch_add(deliveries, Ordering::Relaxed));
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
            let waker = holds.waker.take();
            drop(holds);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}
