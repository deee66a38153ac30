//! What clients and server record: replies, events, closes, and what was wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinError;

use crate::clients::Behavior;
use crate::rights::Rights;

/// How many mistakes are described.
const MAX_DESCRIBED: usize = 5;

/// The stages of a phase, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Clients, faults and revocations.
    Load,
    /// No further fault and revocation; clients and publications go on.
    Calm,
    /// The connections are being closed. No client connects again.
    Drain,
    /// All has ended.
    End,
}

/// What a client or the server did that is wrong in itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mistake {
    /// A reply that is not what the message asked for.
    Reply,
    /// A reply to a message that was answered before.
    Duplicate,
    /// A reply or an event for somebody else.
    Foreign,
    /// A frame of another kind than those that the client expects.
    Frame,
    /// A reply that did not come although the connection was open.
    Lost,
    /// A connection that ended without a reason.
    Close,
    /// An event or a reply that revoked rights do not allow.
    Leak,
    /// An event that came twice or out of order.
    Order,
    /// An event that did not come.
    Missed,
    /// A task of the load that panicked.
    Task,
}

impl Mistake {
    pub(crate) const ALL: [Mistake; 10] = [
        Mistake::Reply,
        Mistake::Duplicate,
        Mistake::Foreign,
        Mistake::Frame,
        Mistake::Lost,
        Mistake::Close,
        Mistake::Leak,
        Mistake::Order,
        Mistake::Missed,
        Mistake::Task,
    ];
}

/// Why the connection of a request ended before the reply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Abandoned {
    Drain,
    /// The source of grants failed for too long.
    Fault,
    /// The client misbehaves.
    Misbehavior,
}

/// The record of a phase.
pub(crate) struct Ledger {
    users: Vec<Rights>,
    /// The number of rooms. Each event goes to the next one.
    pub(crate) rooms: usize,
    /// The number of the next event.
    next_event: AtomicU64,
    stage: watch::Sender<Stage>,
    /// When the drain started.
    pub(crate) drain_start: OnceLock<Instant>,
    /// When attentive clients were closed with 1012, after the start of the drain.
    pub(crate) drained: Mutex<Vec<Duration>>,
    /// The longest time in which the clients got no CPU time during the drain.
    pub(crate) stall_millis: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) replies: AtomicU64,
    /// Requests without a reply whose connection has ended, by [`Abandoned`].
    pub(crate) abandoned: [AtomicU64; 3],
    /// Connections that attentive clients have left.
    pub(crate) left: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Pairs of a published event and a watching user who may not receive it.
    pub(crate) hidden: AtomicU64,
    /// Events that had to arrive, and did.
    pub(crate) due: AtomicU64,
    /// Connections that were in their room for so long that events had to arrive before they ended.
    pub(crate) followed: AtomicU64,
    /// Requests that were sent and answered while a right was revoked.
    pub(crate) refused: AtomicU64,
    pub(crate) revocations: AtomicU64,
    pub(crate) faults: AtomicU64,
    /// `#[connect]` that ran.
    pub(crate) connected: AtomicU64,
    /// `#[disconnect]` that ran, by the behavior of the client and the close code; 0 stands for a peer that has gone.
    pub(crate) disconnected: Mutex<BTreeMap<(Behavior, u16), u64>>,
    /// The close codes that clients got; 0 stands for a connection that broke.
    pub(crate) closes: Mutex<BTreeMap<(Behavior, u16), u64>>,
    /// Replies by action and status.
    pub(crate) statuses: Mutex<BTreeMap<(&'static str, u16), u64>>,
    mistakes: Mutex<BTreeMap<Mistake, u64>>,
    described: Mutex<Vec<String>>,
    /// The time from each request to its last reply, in microseconds.
    latencies: Mutex<Vec<u32>>,
    behaviors: [AtomicUsize; Behavior::ALL.len()],
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Ledger {
    pub(crate) fn new(users: usize, rooms: usize) -> Ledger {
        Ledger {
            users: std::iter::repeat_with(Rights::new).take(users).collect(),
            rooms,
            next_event: AtomicU64::new(0),
            stage: watch::Sender::new(Stage::Load),
            drain_start: OnceLock::new(),
            drained: Mutex::default(),
            stall_millis: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            replies: AtomicU64::new(0),
            abandoned: Default::default(),
            left: AtomicU64::new(0),
            received: AtomicU64::new(0),
            hidden: AtomicU64::new(0),
            due: AtomicU64::new(0),
            followed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            revocations: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            disconnected: Mutex::default(),
            closes: Mutex::default(),
            statuses: Mutex::default(),
            mistakes: Mutex::default(),
            described: Mutex::default(),
            latencies: Mutex::default(),
            behaviors: Default::default(),
        }
    }

    pub(crate) fn users(&self) -> &[Rights] {
        &self.users
    }

    /// Returns the number of the next event.
    pub(crate) fn next_event(&self) -> u64 {
        self.next_event.load(Ordering::SeqCst)
    }

    /// Returns the number of an event that is published now.
    pub(crate) fn take_event(&self) -> u64 {
        self.next_event.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns the room that an event is published in.
    pub(crate) fn room_of_event(&self, event: u64) -> usize {
        usize::try_from(event).unwrap_or(0) % self.rooms
    }

    /// Returns the room of a user.
    pub(crate) fn room_of_user(&self, user: usize) -> usize {
        user % self.rooms
    }

    /// Records a fault of the source in a call for that user.
    pub(crate) fn record_fault(&self, user: usize) {
        count(&self.faults);
        self.users[user].record_fault();
    }

    pub(crate) fn record_reply(&self, action: &'static str, status: u16, latency: Duration) {
        count(&self.replies);
        *lock(&self.statuses).entry((action, status)).or_default() += 1;
        lock(&self.latencies).push(latency.as_micros().try_into().unwrap_or(u32::MAX));
    }

    pub(crate) fn record_close(&self, behavior: Behavior, code: u16) {
        *lock(&self.closes).entry((behavior, code)).or_default() += 1;
    }

    pub(crate) fn record_disconnect(&self, behavior: Behavior, code: u16) {
        *lock(&self.disconnected).entry((behavior, code)).or_default() += 1;
    }

    pub(crate) fn record_behavior(&self, behavior: Behavior) {
        self.behaviors[behavior as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of connections of clients with that behavior.
    pub(crate) fn connections_of(&self, behavior: Behavior) -> usize {
        self.behaviors[behavior as usize].load(Ordering::Relaxed)
    }

    /// Records the end of a task of the load.
    pub(crate) fn record_task(&self, ended: &Result<(), JoinError>) {
        if let Err(error) = ended {
            self.record_mistakes(Mistake::Task, 1, || error.to_string());
        }
    }

    /// Records mistakes of one kind. The first ones are described.
    pub(crate) fn record_mistakes(&self, mistake: Mistake, times: u64, describe: impl FnOnce() -> String) {
        if times == 0 {
            return;
        }
        *lock(&self.mistakes).entry(mistake).or_default() += times;
        let mut described = lock(&self.described);
        if described.len() < MAX_DESCRIBED {
            described.push(format!("{mistake:?}: {}", describe()));
        }
    }

    /// Adds the mistakes of another phase.
    pub(crate) fn add_mistakes(&self, other: &Ledger) {
        for (mistake, times) in &*lock(&other.mistakes) {
            *lock(&self.mistakes).entry(*mistake).or_default() += times;
        }
        lock(&self.described).extend(other.described());
    }

    pub(crate) fn mistakes(&self, mistake: Mistake) -> u64 {
        lock(&self.mistakes).get(&mistake).copied().unwrap_or(0)
    }

    pub(crate) fn described(&self) -> Vec<String> {
        lock(&self.described).clone()
    }

    /// Returns the latency that this part of the requests did not exceed.
    pub(crate) fn latency(&self, part: f64) -> Duration {
        let mut latencies = lock(&self.latencies);
        latencies.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a position"
        )]
        let position = ((latencies.len() as f64 * part) as usize).min(latencies.len().saturating_sub(1));
        Duration::from_micros(latencies.get(position).copied().unwrap_or(0).into())
    }

    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Returns when that stage or a later one has begun, or after this time.
    pub(crate) async fn sleep(&self, time: Duration, stage: Stage) {
        let _ = tokio::time::timeout(time, self.reached(stage)).await;
    }

    /// Returns when that stage or a later one has begun.
    pub(crate) async fn reached(&self, stage: Stage) {
        // Cannot fail: `self` has the sender.
        let _ = self.stage.subscribe().wait_for(|current| *current >= stage).await;
    }

    /// The bytes that the record itself has grown by.
    pub(crate) fn own_bytes(&self) -> usize {
        let rights: usize = self.users.iter().map(Rights::own_bytes).sum();
        let drained = lock(&self.drained).capacity() * size_of::<Duration>();
        rights + drained + lock(&self.latencies).capacity() * size_of::<u32>()
    }

    pub(crate) fn summary(&self, delivered: u64) -> String {
        let (replies, mistakes) = (self.replies.load(Ordering::Relaxed), lock(&self.mistakes).values().sum::<u64>());
        format!("replies {replies}  events {delivered}  mistakes {mistakes}")
    }
}

/// Locks a mutex that no panic can leave in a broken state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
