//! What each user may receive: revocations, by the numbers of events and by phases, and the faults of the source.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::ledger::lock;

/// The number of an event that does not exist: what has not happened yet.
const NEVER: u64 = u64::MAX;

/// How many events are published, at most, while a source that fails delays one: the time limit of checks is 8 seconds.
const MAX_DELAYED_EVENTS: u64 = 800;

/// A revocation of a user's right, as numbers of the next event at four moments.
#[derive(Debug, Clone, Copy)]
struct Revocation {
    /// Before the source has denied the right.
    begun: u64,
    /// After the refresh was acknowledged: from here on nothing may be delivered.
    acknowledged: u64,
    /// Before the source grants the right again.
    ended: u64,
    /// After the second refresh was acknowledged: from here on everything must be delivered.
    restored: u64,
}

/// The state of a user's right. It stays the same between two looks if and only if they return the same phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase(u64);

impl Phase {
    pub(crate) fn is_granted(self) -> bool {
        self.0.is_multiple_of(4)
    }

    pub(crate) fn is_revoked(self) -> bool {
        self.0 % 4 == 2
    }
}

/// What a connection may see of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// It must arrive.
    Due,
    /// It may arrive or not: the right changed about the time when it was published.
    Either,
    /// It was published while the right was revoked, and must not arrive.
    Hidden,
}

/// The rights of one user.
pub(crate) struct Rights {
    has_access: AtomicBool,
    phase: AtomicU64,
    revocations: Mutex<Vec<Revocation>>,
    /// Events that were published during a revocation, had to wait for the source, and were authorized after it.
    authorized_late: Mutex<Vec<u64>>,
    /// Whether a connection of the user is in its room.
    pub(crate) is_watching: AtomicBool,
    /// Calls of the source that failed, panicked or hung.
    faults: AtomicU64,
    /// Replies with status 500, and closes with 4500.
    failed: [AtomicU64; 2],
}

impl Rights {
    pub(crate) fn new() -> Rights {
        Rights {
            has_access: AtomicBool::new(true),
            phase: AtomicU64::new(0),
            revocations: Mutex::default(),
            authorized_late: Mutex::default(),
            is_watching: AtomicBool::new(false),
            faults: AtomicU64::new(0),
            failed: Default::default(),
        }
    }

    /// Returns what the source says.
    pub(crate) fn has_access(&self) -> bool {
        self.has_access.load(Ordering::SeqCst)
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase(self.phase.load(Ordering::SeqCst))
    }

    /// Has the source deny the right. `next_event` is read when this is called.
    pub(crate) fn begin_revocation(&self, next_event: u64) {
        lock(&self.revocations).push(Revocation {
            begun: next_event,
            acknowledged: NEVER,
            ended: NEVER,
            restored: NEVER,
        });
        self.phase.fetch_add(1, Ordering::SeqCst);
        self.has_access.store(false, Ordering::SeqCst);
    }

    /// Records that the revocation is acknowledged.
    pub(crate) fn acknowledge_revocation(&self, next_event: u64) {
        self.change_last(|revocation| revocation.acknowledged = next_event);
        self.phase.fetch_add(1, Ordering::SeqCst);
    }

    /// Has the source grant the right again.
    pub(crate) fn end_revocation(&self, next_event: u64) {
        self.phase.fetch_add(1, Ordering::SeqCst);
        self.change_last(|revocation| revocation.ended = next_event);
        self.has_access.store(true, Ordering::SeqCst);
    }

    /// Records that the end of the revocation is acknowledged.
    pub(crate) fn restore(&self, next_event: u64) {
        self.change_last(|revocation| revocation.restored = next_event);
        self.phase.fetch_add(1, Ordering::SeqCst);
    }

    fn change_last(&self, change: impl FnOnce(&mut Revocation)) {
        if let Some(revocation) = lock(&self.revocations).last_mut() {
            change(revocation);
        }
    }

    /// Records that the event was authorized for the user now. If it was published during a revocation, that must be over.
    pub(crate) fn record_authorization(&self, event: u64) {
        let is_over = |revocation: &Revocation| revocation.ended != NEVER && revocation.hides(event);
        if lock(&self.revocations).iter().any(is_over) {
            lock(&self.authorized_late).push(event);
        }
    }

    /// Returns whether a revocation hides an event that is published now.
    pub(crate) fn hides_new(&self, event: u64) -> bool {
        lock(&self.revocations).last().is_some_and(|revocation| revocation.hides(event))
    }

    /// Returns what a connection that was in the room all the time may see. Independent of when the client reads the event,
    /// and of when it asks.
    pub(crate) fn visibility(&self, event: u64) -> Visibility {
        let revocations = lock(&self.revocations);
        if revocations.iter().any(|revocation| revocation.hides(event)) {
            let was_late = lock(&self.authorized_late).contains(&event);
            return if was_late { Visibility::Either } else { Visibility::Hidden };
        }
        let is_near = |revocation: &Revocation| {
            (revocation.begun.saturating_sub(MAX_DELAYED_EVENTS)..revocation.restored).contains(&event)
        };
        if revocations.iter().any(is_near) { Visibility::Either } else { Visibility::Due }
    }

    pub(crate) fn record_fault(&self) {
        self.faults.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns whether the faults of the source explain one more reply with status 500. A call that hangs fails two at most:
    /// a reply, and another one that has joined it meanwhile.
    pub(crate) fn excuses_reply(&self) -> bool {
        self.failed[0].fetch_add(1, Ordering::SeqCst) < 2 * self.faults.load(Ordering::SeqCst)
    }

    /// Returns whether the faults of the source explain that one more connection is closed with 4500.
    pub(crate) fn excuses_close(&self) -> bool {
        self.failed[1].fetch_add(1, Ordering::SeqCst) < self.faults.load(Ordering::SeqCst)
    }

    /// The bytes that the record has grown by.
    pub(crate) fn own_bytes(&self) -> usize {
        lock(&self.revocations).capacity() * size_of::<Revocation>()
            + lock(&self.authorized_late).capacity() * size_of::<u64>()
    }
}

impl Revocation {
    fn hides(&self, event: u64) -> bool {
        (self.acknowledged..self.ended).contains(&event)
    }
}
