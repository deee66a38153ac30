//! The task of a drain: waits for the notice, closes the connections at a constant rate, and cuts what still runs at
//! the deadline.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use super::drain::{DrainReport, DrainSchedule};
use super::drain_state::{DrainPhase, DrainProgress, DrainState};
use super::session::SessionRegistry;
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::panic::{catch_unwind, log_entry};
use crate::transport::CloseReason;

/// How long `#[disconnect]` and closing handshakes have after the deadline.
const HOOK_GRACE_PERIOD: Duration = Duration::from_secs(2);

/// How long the tasks of connections have to end when everything in them is dropped. One may occupy its thread.
const TASK_GRACE_PERIOD: Duration = Duration::from_millis(100);

/// The connections of one endpoint, independent of its consumer.
pub(super) trait DrainTarget: Send + Sync {
    fn consumer_name(&self) -> &'static str;

    fn drain(&self) -> &DrainState;

    /// Returns the ids of the connections that have a session.
    fn connection_ids(&self) -> Vec<ConnectionId>;

    /// Closes a connection with 1012, unless it has ended.
    fn close(&self, id: ConnectionId);

    /// Tells other machines that this one has no connections any more.
    fn depart(&self) -> BoxFuture<'_, ()>;
}

impl<C: Consumer> DrainTarget for SessionRegistry<C> {
    fn consumer_name(&self) -> &'static str {
        C::NAME
    }

    fn drain(&self) -> &DrainState {
        &self.drain
    }

    fn connection_ids(&self) -> Vec<ConnectionId> {
        self.connection_ids()
    }

    fn close(&self, id: ConnectionId) {
        if let Some(session) = self.session(id) {
            session.close_with(CloseReason::ServiceRestart);
        }
    }

    fn depart(&self) -> BoxFuture<'_, ()> {
        match self.node.get() {
            Some(node) => node.depart().boxed(),
            None => ready(()).boxed(),
        }
    }
}

/// The task of one drain.
pub(super) struct DrainTask {
    target: Arc<dyn DrainTarget>,
    progress: watch::Receiver<DrainProgress>,
}

impl Drop for DrainTask {
    fn drop(&mut self) {
        self.target.drain().end_task();
    }
}

impl DrainTask {
    pub(super) fn new(target: Arc<dyn DrainTarget>) -> DrainTask {
        let progress = target.drain().subscribe();
        DrainTask { target, progress }
    }

    pub(super) async fn run(mut self) {
        let consumer = self.target.consumer_name();
        log_entry!(INFO, consumer, "drain started");
        self.wait(|schedule| schedule.notice_until).await;
        self.target.drain().begin_closing();
        self.close_connections().await;
        self.wait(|schedule| schedule.deadline).await;
        self.advance(DrainPhase::CuttingActions, HOOK_GRACE_PERIOD).await;
        self.advance(DrainPhase::CuttingConnections, TASK_GRACE_PERIOD).await;
        let open = self.progress.borrow().open();
        if open == 0 {
            self.target.depart().await;
        }
        let DrainReport { closed, finished, cut } = self.target.drain().finish();
        if open > 0 {
            log_entry!(WARN, consumer, open, "connections have not ended: the deadline of the drain passed");
        }
        log_entry!(INFO, consumer, closed, finished, cut, "drain finished");
    }

    /// Closes all connections by the end of the window, at a constant rate. A session that is established after it has
    /// begun closes itself: the phase changed before the ids were read, so that it sees the phase if its id was not
    /// read.
    async fn close_connections(&mut self) {
        let mut ids = self.target.connection_ids();
        let Some(mut pace) = self.schedule().map(|schedule| Pace::new(&schedule, ids.len())) else { return };
        loop {
            let Some(schedule) = self.schedule() else { return };
            if pace.end != schedule.window_until {
                pace = Pace::new(&schedule, ids.len());
            }
            let remaining = pace.total - pace.due(Instant::now());
            for id in ids.drain(remaining.min(ids.len())..) {
                // A connection that cannot be closed must not keep the others open.
                drop(catch_unwind(|| self.target.close(id)));
                consume_budget().await;
            }
            if ids.is_empty() || self.has_closed_all() {
                return;
            }
            let next_at = pace.time_of(pace.total - ids.len());
            self.wait(|schedule| if schedule.window_until == pace.end { next_at } else { Instant::now() }).await;
        }
    }

    /// Enters a phase if connections are left, and waits until they have ended, but at most for that time.
    async fn advance(&mut self, phase: DrainPhase, timeout: Duration) {
        if self.has_closed_all() {
            return;
        }
        self.target.drain().advance(phase);
        let end = Instant::now() + timeout;
        self.wait(|_| end).await;
    }

    fn has_closed_all(&self) -> bool {
        self.progress.borrow().has_closed_all()
    }

    fn schedule(&self) -> Option<DrainSchedule> {
        self.progress.borrow().schedule
    }

    /// Waits until that time, which changes if the schedule is shortened, or until all connections have ended.
    async fn wait(&mut self, time: impl Fn(&DrainSchedule) -> Instant) {
        loop {
            let time = {
                let progress = self.progress.borrow_and_update();
                match &progress.schedule {
                    Some(schedule) if !progress.has_closed_all() => time(schedule),
                    _ => return,
                }
            };
            if time <= Instant::now() {
                return;
            }
            tokio::select! {
                () = sleep_until(time) => return,
                // Cannot fail: `self.target` has the sender.
                _ = self.progress.changed() => {}
            }
        }
    }
}

/// The constant rate at which connections are closed. The first one is due at once, the last one shortly before the
/// end.
struct Pace {
    start: Instant,
    end: Instant,
    total: usize,
}

impl Pace {
    /// Returns the rate that closes `total` connections by the end of the window.
    fn new(schedule: &DrainSchedule, total: usize) -> Pace {
        Pace { start: Instant::now(), end: schedule.window_until, total }
    }

    /// Returns how many connections are to be closed by that time.
    fn due(&self, now: Instant) -> usize {
        let (elapsed, length) = (now - self.start, self.end.saturating_duration_since(self.start));
        if elapsed >= length {
            return self.total;
        }
        let before = elapsed.as_nanos() * self.total as u128 / length.as_nanos();
        usize::try_from(before + 1).map_or(self.total, |due| due.min(self.total))
    }

    /// Returns when the connection with that index is to be closed. Rounded up, so that it is due then.
    fn time_of(&self, index: usize) -> Instant {
        let length = self.end.saturating_duration_since(self.start).as_nanos();
        let offset = (length * index as u128).div_ceil(self.total.max(1) as u128);
        u64::try_from(offset).map_or(self.end, |offset| (self.start + Duration::from_nanos(offset)).min(self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Drain;

    /// Two connections, one of which panics when it is closed.
    struct Trap {
        drain: DrainState,
        ids: [ConnectionId; 2],
    }

    impl DrainTarget for Trap {
        fn consumer_name(&self) -> &'static str {
            "Trap"
        }

        fn drain(&self) -> &DrainState {
            &self.drain
        }

        fn connection_ids(&self) -> Vec<ConnectionId> {
            self.ids.to_vec()
        }

        fn close(&self, id: ConnectionId) {
            // The drain closes the last one first.
            assert!(id != self.ids[1], "a connection that panics");
            self.drain.release(false);
        }

        fn depart(&self) -> BoxFuture<'_, ()> {
            ready(()).boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connection_that_panics_keeps_no_other_one_open() {
        let ids = [ConnectionId::random().unwrap(), ConnectionId::random().unwrap()];
        let target = Arc::new(Trap { drain: DrainState::new(), ids });
        assert!(target.drain.admit() && target.drain.admit() && target.drain.start(&Drain::NOW));
        DrainTask::new(target.clone()).run().await;
        assert_eq!(target.drain.finished().await, DrainReport { closed: 2, finished: 1, cut: 1 });
    }

    fn pace(window: Duration, total: usize) -> Pace {
        let start = Instant::now();
        Pace { start, end: start + window, total }
    }

    #[test]
    fn every_connection_is_due_at_its_time_and_not_before() {
        for (window, total) in [(10_000_000_000, 2_000), (7, 3), (3, 7), (1_000_000_007, 999), (1, 1)] {
            let pace = pace(Duration::from_nanos(window), total);
            for index in 0..total {
                let time = pace.time_of(index);
                assert!(pace.due(time) > index, "{index} of {total} in {window} ns");
                let earlier = time.checked_sub(Duration::from_nanos(1)).filter(|earlier| *earlier >= pace.start);
                assert!(earlier.is_none_or(|earlier| pace.due(earlier) <= index), "{index} of {total} in {window} ns");
            }
        }
    }

    #[test]
    fn all_connections_are_due_if_there_is_no_window() {
        let pace = pace(Duration::ZERO, 5);
        assert_eq!((pace.due(pace.start), pace.time_of(4)), (5, pace.start));
    }
}
