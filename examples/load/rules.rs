//! What must hold. A rule that had nothing to compare does not hold.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clients::Behavior;
use crate::idle::Idle;
use crate::ledger::{Abandoned, Mistake, lock};
use crate::report::{Report, load};
use crate::server::{DRAIN_WINDOW, UNEXPECTED_PANICS};

/// The number of clients of which one shows each behavior.
pub(crate) const MIN_CLIENTS: usize = 32;

/// How much more may be allocated after the load than before it: what is bounded and kept, such as rate limiters of log
/// entries.
const MAX_KEPT_BYTES: usize = 512 * 1024;

/// The times after which half-open and slow clients have met their limits.
const HALF_OPEN_TIME: Duration = Duration::from_secs(20);
const SLOW_READER_TIME: Duration = Duration::from_mins(4);

/// The time after which some connections have been open for longer than an event may be late.
const FOLLOWED_TIME: Duration = Duration::from_secs(40);

/// How late a client may read that it was closed, and how late the server may notice that a client has gone, beside the time
/// in which this process got no CPU time.
const MAX_DRAIN_DELAY: Duration = Duration::from_secs(1);

/// The replies that must have occurred.
const EXPECTED_REPLIES: [(&str, u16); 6] =
    [("echo", 200), ("read", 200), ("read", 403), ("slow", 200), ("count", 200), ("watch", 200)];

/// The codes with which the server may close a client that misbehaves. 0 stands for a client that has gone.
const EXPECTED_CODES: [u16; 8] = [0, 1002, 1007, 1009, 1012, 1013, 4500, 4508];

/// The sentences about rules that do not hold.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }

    /// Requires that something was counted.
    fn require_some(&mut self, what: &str, counter: &AtomicU64) {
        self.require(load(counter) > 0, || format!("nothing to compare: no {what}"));
    }
}

impl Report {
    /// Returns a sentence per rule that does not hold.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = Failures::default();
        if let Some(idle) = &self.idle {
            idle.check(&mut failures);
        }
        for mistake in Mistake::ALL {
            let count = self.ledger.mistakes(mistake);
            failures.require(count == 0, || format!("{count} mistakes of the kind `{mistake:?}`"));
        }
        self.check_requests(&mut failures);
        self.check_events(&mut failures);
        self.check_connections(&mut failures);
        self.check_misbehaving(&mut failures);
        self.check_drain(&mut failures);
        let panics = UNEXPECTED_PANICS.load(Ordering::SeqCst);
        failures.require(panics == 0, || format!("{panics} unexpected panics"));
        let (tasks, memory) = (self.tasks, &self.memory);
        failures.require(tasks.0 == tasks.1, || format!("{} tasks at the start, {} at the end", tasks.0, tasks.1));
        failures.require(memory.end <= memory.start + MAX_KEPT_BYTES, || {
            format!("{} bytes at the start, {} at the end", memory.start, memory.end)
        });
        failures.0
    }

    fn check_requests(&self, failures: &mut Failures) {
        let ledger = &self.ledger;
        let statuses = lock(&ledger.statuses);
        for (action, status) in EXPECTED_REPLIES {
            let has_come = statuses.contains_key(&(action, status));
            failures.require(has_come, || format!("nothing to compare: no reply to `{action}` with {status}"));
        }
        if self.options.duration >= HALF_OPEN_TIME {
            failures.require(statuses.contains_key(&("read", 500)), || "no fault has reached a client".to_owned());
        }
        failures.require_some("request during a revocation", &ledger.refused);
        failures.require_some("fault of the source", &ledger.faults);
        let [requests, replies] = [&ledger.requests, &ledger.replies].map(load);
        let abandoned: u64 = ledger.abandoned.iter().map(load).sum();
        failures.require(requests == replies + abandoned + ledger.mistakes(Mistake::Lost), || {
            format!("{requests} requests, but {replies} replies and {abandoned} abandoned")
        });
    }

    fn check_events(&self, failures: &mut Failures) {
        let ledger = &self.ledger;
        failures.require_some("revocation", &ledger.revocations);
        failures.require_some("event that a watching client may not receive", &ledger.hidden);
        failures.require_some("event that had to arrive", &ledger.due);
        if self.options.duration >= FOLLOWED_TIME {
            failures.require_some("connection whose last events had to arrive", &ledger.followed);
        }
        let (refused, hidden) = (self.ended.snapshot.events.refused, load(&ledger.hidden));
        failures.require(refused > 0, || format!("the server refused no event, but {hidden} were hidden"));
    }

    /// Compares what clients have seen with what the server has counted.
    fn check_connections(&self, failures: &mut Failures) {
        let (ledger, snapshot) = (&self.ledger, &self.ended.snapshot);
        let rejected = load(&ledger.rejected);
        failures.require(rejected == 0, || format!("{rejected} handshakes were rejected"));
        let disconnected = lock(&ledger.disconnected);
        let [opened, connected] = [&ledger.connections, &ledger.connected].map(load);
        let numbers = [
            opened,
            connected,
            disconnected.values().sum(),
            snapshot.handshakes.accepted,
            snapshot.connections.ended,
            snapshot.connections.open + opened,
        ];
        failures.require(numbers.iter().all(|number| *number == opened && opened > 0), || {
            format!("opened, `#[connect]`, `#[disconnect]`, accepted, ended, and still open differ: {numbers:?}")
        });
        let mut seen = only_attentive(&lock(&ledger.closes));
        seen.insert(0, load(&ledger.left));
        let mut sent = only_attentive(&disconnected);
        sent.entry(0).or_default();
        failures.require(seen == sent, || {
            format!("attentive clients saw the codes {seen:?}, but the server has counted {sent:?}")
        });
    }

    /// Each kind of client has met the limit that it is there for.
    fn check_misbehaving(&self, failures: &mut Failures) {
        for behavior in Behavior::ALL {
            let count = self.ledger.connections_of(behavior);
            failures.require(count > 0, || format!("nothing to compare: no client of the kind `{behavior:?}`"));
        }
        let disconnected = lock(&self.ledger.disconnected);
        let mut required = vec![(Behavior::Garbage, 1002), (Behavior::CutFrame, 0)];
        if self.options.duration >= HALF_OPEN_TIME {
            required.push((Behavior::HalfOpen, 4508));
        }
        if self.options.duration >= SLOW_READER_TIME {
            required.push((Behavior::SlowReader, 1013));
        }
        for (behavior, code) in required {
            let has_occurred = disconnected.contains_key(&(behavior, code));
            failures.require(has_occurred, || format!("no `{behavior:?}` was closed with {code}"));
        }
        for (behavior, code) in disconnected.keys() {
            failures.require(EXPECTED_CODES.contains(code), || format!("a `{behavior:?}` was closed with {code}"));
        }
    }

    /// All connections end within the window, at a constant rate.
    fn check_drain(&self, failures: &mut Failures) {
        let (drain, mut times) = (&self.ended.drain, lock(&self.ledger.drained).clone());
        times.sort_unstable();
        let closed = times.len();
        failures.require(closed > 0 && drain.cut == 0 && drain.closed >= closed, || {
            format!("{closed} attentive clients were closed by the drain: {drain:?}")
        });
        let abandoned = load(&self.ledger.abandoned[Abandoned::Drain as usize]);
        failures.require(abandoned <= closed as u64, || {
            format!("{abandoned} requests of {closed} clients were not answered before the drain closed them")
        });
        let max_delay = MAX_DRAIN_DELAY + Duration::from_millis(load(&self.ledger.stall_millis));
        let time = self.ended.drain_time;
        failures.require(time <= DRAIN_WINDOW + max_delay, || format!("the drain took {time:?}"));
        // Attentive clients are some of those that are closed at a constant rate, at random.
        let tolerance = 5 + closed / 10;
        let is_at_its_time = |(index, time): (usize, &Duration)| {
            let due = |time: Duration| share(closed, time);
            index <= due(*time) + tolerance && index + tolerance >= due(time.saturating_sub(max_delay))
        };
        failures.require(times.iter().enumerate().all(is_at_its_time), || {
            format!("the rate of the drain was not constant: {:?}", self.drained_per_tenth())
        });
    }
}

/// Returns how many of so many connections are closed by that time of the window.
fn share(count: usize, time: Duration) -> usize {
    let part = count as u128 * time.as_nanos() / DRAIN_WINDOW.as_nanos();
    usize::try_from(part).unwrap_or(count).min(count)
}

/// Returns the closes of attentive clients by code.
fn only_attentive(closes: &BTreeMap<(Behavior, u16), u64>) -> BTreeMap<u16, u64> {
    let attentive = closes.iter().filter(|((behavior, _), _)| *behavior == Behavior::Attentive);
    attentive.map(|((_, code), count)| (*code, *count)).collect()
}

impl Idle {
    fn check(&self, failures: &mut Failures) {
        let Idle { connections, open: [start, end], answered, allocated: [before, after], .. } = self;
        let expected = *connections as u64;
        failures.require([*start, *end] == [expected; 2], || {
            format!("of {connections} idle connections, {start} were open at the beginning and {end} at the end")
        });
        failures.require(answered == connections, || {
            format!("of {connections} idle connections, {answered} answered at the end")
        });
        failures.require(*after <= before + MAX_KEPT_BYTES, || {
            format!("{before} bytes before the idle connections, {after} after them")
        });
    }
}
