//! What clients and server record: replies that are due, revocations in effect, and how connections ended.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// The value of [`Ledger::revoked_from`] for a user whose rights are not revoked.
const NOT_REVOKED: u64 = u64::MAX;

/// The record of a phase.
pub(crate) struct Ledger {
    /// Per user: whether the source grants the right to receive events.
    access: Vec<AtomicBool>,
    /// Per user: while a revocation is acknowledged, the number of the first event that was published after it.
    revoked_from: Vec<AtomicU64>,
    /// The number of the next event.
    pub(crate) next_event: AtomicU64,
    is_stopped: watch::Sender<bool>,
    pub(crate) connections: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) replies: AtomicU64,
    /// Requests whose connection was closed before the reply, by the client or by the server.
    pub(crate) abandoned: AtomicU64,
    /// Requests without a reply although the connection was open.
    pub(crate) lost: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) misordered: AtomicU64,
    pub(crate) leaked: AtomicU64,
    pub(crate) revocations: AtomicU64,
    pub(crate) faults: AtomicU64,
    /// `#[connect]` and `#[disconnect]` that ran.
    pub(crate) hooks: (AtomicU64, AtomicU64),
    /// The close codes that attentive and other clients got; 0 stands for a connection that broke.
    pub(crate) closes: Mutex<BTreeMap<(bool, u16), u64>>,
    pub(crate) statuses: Mutex<BTreeMap<u16, u64>>,
    /// The time from each request to its last reply, in microseconds.
    latencies: Mutex<Vec<u32>>,
    misbehaved: [AtomicUsize; 4],
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Ledger {
    pub(crate) fn new(users: usize) -> Ledger {
        Ledger {
            access: (0..users).map(|_| AtomicBool::new(true)).collect(),
            revoked_from: (0..users).map(|_| AtomicU64::new(NOT_REVOKED)).collect(),
            next_event: AtomicU64::new(0),
            is_stopped: watch::Sender::new(false),
            connections: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            replies: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            received: AtomicU64::new(0),
            misordered: AtomicU64::new(0),
            leaked: AtomicU64::new(0),
            revocations: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            hooks: (AtomicU64::new(0), AtomicU64::new(0)),
            closes: Mutex::default(),
            statuses: Mutex::default(),
            latencies: Mutex::default(),
            misbehaved: Default::default(),
        }
    }

    pub(crate) fn users(&self) -> usize {
        self.access.len()
    }

    pub(crate) fn has_access(&self, user: usize) -> bool {
        self.access[user].load(Ordering::SeqCst)
    }

    pub(crate) fn set_access(&self, user: usize, has_access: bool) {
        self.access[user].store(has_access, Ordering::SeqCst);
    }

    /// Records that a revocation is acknowledged: events from now on must not reach the user.
    pub(crate) fn begin_revocation(&self, user: usize) {
        count(&self.revocations);
        self.revoked_from[user].store(self.next_event.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Records that the right is about to be given back.
    pub(crate) fn end_revocation(&self, user: usize) {
        self.revoked_from[user].store(NOT_REVOKED, Ordering::SeqCst);
    }

    /// Records an event that a user has received. It is leaked if it was published after a revocation that is still in effect.
    pub(crate) fn record_event(&self, user: usize, number: u64, previous: Option<u64>) {
        count(&self.received);
        if number >= self.revoked_from[user].load(Ordering::SeqCst) {
            count(&self.leaked);
        }
        if previous.is_some_and(|previous| previous >= number) {
            count(&self.misordered);
        }
    }

    pub(crate) fn record_reply(&self, status: u16, latency: Option<Duration>) {
        count(&self.replies);
        *lock(&self.statuses).entry(status).or_default() += 1;
        if let Some(latency) = latency {
            lock(&self.latencies).push(latency.as_micros().try_into().unwrap_or(u32::MAX));
        }
    }

    pub(crate) fn record_close(&self, is_attentive: bool, code: u16) {
        *lock(&self.closes).entry((is_attentive, code)).or_default() += 1;
    }

    pub(crate) fn record_misbehavior(&self, kind: usize) {
        self.misbehaved[kind].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn misbehaved(&self) -> [usize; 4] {
        self.misbehaved.each_ref().map(|count| count.load(Ordering::Relaxed))
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

    /// Tells clients and server to end.
    pub(crate) fn stop(&self) {
        self.is_stopped.send_replace(true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.is_stopped.borrow()
    }

    /// Returns when [`stop`](Ledger::stop) was called, or after this time.
    pub(crate) async fn sleep(&self, time: Duration) {
        let mut stopped = self.is_stopped.subscribe();
        let _ = tokio::time::timeout(time, stopped.wait_for(|is_stopped| *is_stopped)).await;
    }

    /// The bytes that the record itself has grown by.
    pub(crate) fn own_bytes(&self) -> usize {
        lock(&self.latencies).capacity() * size_of::<u32>()
    }

    pub(crate) fn summary(&self, delivered: u64) -> String {
        let [replies, lost, leaked] = [&self.replies, &self.lost, &self.leaked].map(|c| c.load(Ordering::Relaxed));
        format!("replies {replies}  events {delivered}  lost {lost}  leaked {leaked}")
    }
}

/// Locks a mutex that no panic can leave in a broken state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
