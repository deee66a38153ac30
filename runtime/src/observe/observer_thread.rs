//! The thread of an observer, and the bounded queue in front of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;
use std::{io, thread};

use super::observer::{
    ActionFinished, ActionStarted, ConnectionClosed, ConnectionOpened, EventPublished, HandshakeRejected, Observer,
    QueueOverflowed,
};
use super::panic_count::PanicCount;
use crate::panic::{catch_unwind, drop_contained, log_entry};

/// The number of observations that may wait.
const MAX_QUEUED: usize = 8192;

/// How long the thread sleeps when the queue is empty. A thread that waits for each observation would have to be woken for
/// each, which costs more than the action.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The number of sleeps after which the thread waits until it is woken.
const MAX_POLLS: u32 = 8;

/// What has happened.
pub(super) enum Observation {
    ConnectionOpened(ConnectionOpened),
    HandshakeRejected(HandshakeRejected),
    ActionStarted(ActionStarted),
    ActionFinished(ActionFinished),
    /// An action that has finished without having been pending, so that both are one entry of the queue.
    ActionRan(ActionFinished),
    EventPublished(EventPublished),
    QueueOverflowed(QueueOverflowed),
    ConnectionClosed(ConnectionClosed),
}

/// Counts what is lost, and logs it when the number has doubled.
#[derive(Debug, Default)]
pub(super) struct ObserverCells {
    pub(super) dropped: AtomicU64,
    pub(super) panics: PanicCount,
}

impl ObserverCells {
    #[cold]
    fn record_dropped(&self) {
        let count = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            log_entry!(WARN, count, "observations dropped: queue full, the observer is too slow");
        }
    }
}

/// The queue of an observer. The thread ends when it is dropped.
#[derive(Debug)]
pub(super) struct ObserverQueue {
    sender: SyncSender<Observation>,
    cells: Arc<ObserverCells>,
}

impl ObserverQueue {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub(super) fn start(observer: impl Observer, cells: Arc<ObserverCells>) -> io::Result<ObserverQueue> {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        let thread_cells = cells.clone();
        let builder = thread::Builder::new().name("portcullis-observer".to_owned());
        builder.spawn(move || run(observer, &receiver, &thread_cells))?;
        Ok(ObserverQueue { sender, cells })
    }

    /// Passes an observation to the thread, or drops it if too many wait.
    pub(super) fn push(&self, observation: Observation) {
        if self.sender.try_send(observation).is_err() {
            self.cells.record_dropped();
        }
    }
}

fn run(mut observer: impl Observer, receiver: &Receiver<Observation>, cells: &ObserverCells) {
    let mut contained = |observation: &Observation| {
        if let Err(panic) = catch_unwind(|| deliver(&mut observer, observation)) {
            cells.panics.record("observer", panic.message());
        }
    };
    while let Some(observation) = next(receiver) {
        if let Observation::ActionRan(ActionFinished { consumer, action, route, .. }) = observation {
            contained(&Observation::ActionStarted(ActionStarted { consumer, action, route }));
        }
        contained(&observation);
    }
    drop_contained(observer);
}

/// Waits for the next observation. Returns `None` if there will be none.
fn next(receiver: &Receiver<Observation>) -> Option<Observation> {
    for _ in 0..MAX_POLLS {
        match receiver.try_recv() {
            Ok(observation) => return Some(observation),
            Err(TryRecvError::Empty) => thread::sleep(POLL_INTERVAL),
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    receiver.recv().ok()
}

fn deliver(observer: &mut impl Observer, observation: &Observation) {
    match observation {
        Observation::ConnectionOpened(observation) => observer.connection_opened(observation),
        Observation::HandshakeRejected(observation) => observer.handshake_rejected(observation),
        Observation::ActionStarted(observation) => observer.action_started(observation),
        Observation::ActionFinished(observation) | Observation::ActionRan(observation) => {
            observer.action_finished(observation);
        }
        Observation::EventPublished(observation) => observer.event_published(observation),
        Observation::QueueOverflowed(observation) => observer.queue_overflowed(observation),
        Observation::ConnectionClosed(observation) => observer.connection_closed(observation),
    }
}
