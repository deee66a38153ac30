//! How far the drain of an endpoint has come, and how many connections there are: what connections and the drain share.

use std::future::Future;

use tokio::sync::watch;
use tokio::task::coop::unconstrained;
use tokio::time::Instant;

use super::drain::{Drain, DrainReport, DrainSchedule};

/// How far a drain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DrainPhase {
    /// No drain has started.
    Serving,
    /// The endpoint is not ready, and accepts handshakes.
    Notice,
    /// Handshakes are rejected, and connections are closed.
    Closing,
    /// All connections are closed, and actions that still run are dropped.
    CuttingActions,
    /// Hooks and closing handshakes are dropped too.
    CuttingConnections,
}

/// The state of a drain.
#[derive(Debug)]
pub(super) struct DrainProgress {
    pub(super) phase: DrainPhase,
    /// `None` until a drain starts.
    pub(super) schedule: Option<DrainSchedule>,
    /// Whether a task performs the drain.
    has_task: bool,
    /// The number of connections, from the acceptance of the handshake to the end of `#[disconnect]`.
    open: usize,
    /// The number of connections that there were when `Closing` began.
    closed: usize,
    /// The number of connections of which something was cut.
    cut: usize,
    /// `None` until the drain has finished.
    pub(super) report: Option<DrainReport>,
}

impl DrainProgress {
    /// Returns the number of connections that have not ended.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Returns whether all connections have ended and none will be accepted.
    pub(super) fn has_closed_all(&self) -> bool {
        self.phase >= DrainPhase::Closing && self.open == 0
    }
}

/// The shared state of a drain. Its lock is held for a few instructions, and no other one is taken under it.
pub(crate) struct DrainState(watch::Sender<DrainProgress>);

impl DrainState {
    pub(super) fn new() -> DrainState {
        let (phase, schedule, report) = (DrainPhase::Serving, None, None);
        DrainState(watch::Sender::new(DrainProgress {
            phase,
            schedule,
            has_task: false,
            open: 0,
            closed: 0,
            cut: 0,
            report,
        }))
    }

    pub(super) fn phase(&self) -> DrainPhase {
        self.0.borrow().phase
    }

    /// Returns the phase and the number of open connections.
    pub(super) fn progress(&self) -> (DrainPhase, usize) {
        let progress = self.0.borrow();
        (progress.phase, progress.open)
    }

    /// Returns whether handshakes are rejected and connections are closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.phase() >= DrainPhase::Closing
    }

    /// Returns a handle that observes changes of the phase and of the schedule, and the end of the last connection.
    pub(super) fn subscribe(&self) -> watch::Receiver<DrainProgress> {
        self.0.subscribe()
    }

    /// Counts a connection as open, unless handshakes are rejected. One lock protects phase and count, so a drain
    /// either counts a connection or rejects it. Returns whether it was counted.
    pub(super) fn admit(&self) -> bool {
        let mut is_admitted = false;
        self.0.send_if_modified(|progress| {
            is_admitted = progress.phase < DrainPhase::Closing;
            progress.open += usize::from(is_admitted);
            false
        });
        is_admitted
    }

    /// Counts a connection as ended. `is_cut` is whether something of it was dropped.
    pub(super) fn release(&self, is_cut: bool) {
        self.0.send_if_modified(|progress| {
            progress.open -= 1;
            progress.cut += usize::from(is_cut);
            progress.has_closed_all()
        });
    }

    /// Starts a drain, or shortens the one that has started. Returns whether it needs a task.
    pub(super) fn start(&self, drain: &Drain) -> bool {
        let mut needs_task = false;
        self.0.send_modify(|progress| {
            let now = Instant::now();
            // A notice that is over is not repeated.
            let is_closing = progress.phase >= DrainPhase::Closing;
            let notice = if is_closing { Drain::NOW.notice } else { drain.notice };
            let schedule = DrainSchedule::new(&Drain { notice, ..*drain }, now);
            match &mut progress.schedule {
                Some(current) => current.shorten(&schedule),
                current @ None => {
                    *current = Some(schedule);
                    progress.phase = DrainPhase::Notice;
                }
            }
            needs_task = !std::mem::replace(&mut progress.has_task, true) && progress.report.is_none();
        });
        needs_task
    }

    /// Records that the task has ended. If its runtime was shut down before the drain has finished, the next start
    /// needs another one.
    pub(super) fn end_task(&self) {
        self.0.send_modify(|progress| progress.has_task = false);
    }

    /// Rejects handshakes from now on, and counts the connections that are to be closed.
    pub(super) fn begin_closing(&self) {
        self.0.send_modify(|progress| {
            // Another task may have begun before.
            if progress.phase < DrainPhase::Closing {
                progress.phase = DrainPhase::Closing;
                progress.closed = progress.open;
            }
        });
    }

    pub(super) fn advance(&self, phase: DrainPhase) {
        self.0.send_modify(|progress| progress.phase = progress.phase.max(phase));
    }

    /// Finishes the drain. A connection that is still open counts as cut.
    pub(super) fn finish(&self) -> DrainReport {
        let mut report = DrainReport { closed: 0, finished: 0, cut: 0 };
        self.0.send_modify(|progress| {
            let (closed, cut) = (progress.closed, progress.cut + progress.open);
            report = DrainReport { closed, finished: closed - cut, cut };
            progress.report = Some(report);
        });
        report
    }

    /// Waits until the drain has finished.
    pub(super) async fn finished(&self) -> DrainReport {
        let mut progress = self.subscribe();
        loop {
            if let Some(report) = progress.borrow_and_update().report {
                return report;
            }
            // Cannot fail: `self` is the sender.
            let _ = progress.changed().await;
        }
    }

    /// Runs a future until a drain reaches that phase. Returns `None` if the future was dropped for that. It is polled
    /// first, so one that is ready takes no lock.
    pub(crate) async fn run_until<F: Future>(&self, phase: DrainPhase, future: F) -> Option<F::Output> {
        let reached = async {
            let _ = self.subscribe().wait_for(|progress| progress.phase >= phase).await;
        };
        tokio::select! {
            biased;
            output = future => Some(output),
            // Without a budget, because the future may have used it up.
            () = unconstrained(reached) => None,
        }
    }
}
