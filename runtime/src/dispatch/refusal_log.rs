//! Bounds how many log entries a client can cause by refusals.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, RateLimiter};

use crate::context::ConnectionId;
use crate::panic::log_entry;
use crate::rate::{AddressLimiter, KeyedLimiter, Rate};

/// The entries per address and, for clients whose address is unknown, per connection.
const ENTRIES: Rate = Rate::per_second(10).burst(50);

/// The entries of all handshakes of clients whose address is unknown.
const ENTRIES_OF_UNKNOWN: Rate = Rate::per_second(500);

/// How often an entry says how many others were not written.
const SUMMARY_INTERVAL: Duration = Duration::from_mins(1);

/// The entries of a level. Those of the level `DEBUG` do not use up the allowance of the others.
struct RefusalLog {
    by_address: AddressLimiter,
    by_connection: KeyedLimiter<ConnectionId>,
}

static INFO: LazyLock<RefusalLog> = LazyLock::new(RefusalLog::new);
static DEBUG: LazyLock<RefusalLog> = LazyLock::new(RefusalLog::new);
static UNKNOWN: LazyLock<DefaultDirectRateLimiter> = LazyLock::new(|| RateLimiter::direct(ENTRIES_OF_UNKNOWN.quota()));
static SUPPRESSED: LazyLock<Suppressed> = LazyLock::new(|| Suppressed::new(Instant::now()));

/// Counts an entry about a message. Returns whether it may be written.
pub(crate) fn admit_message(is_debug: bool, address: Option<IpAddr>, id: ConnectionId) -> bool {
    let log = if is_debug { &DEBUG } else { &INFO };
    let outcome = match address {
        Some(address) => log.by_address.check(address),
        None => log.by_connection.check(&id),
    };
    record(outcome.is_ok(), address)
}

/// Counts an entry about a handshake. Returns whether it may be written.
pub(crate) fn admit_handshake(address: Option<IpAddr>) -> bool {
    let is_admitted = match address {
        Some(address) => INFO.by_address.check(address).is_ok(),
        None => UNKNOWN.check().is_ok(),
    };
    record(is_admitted, address)
}

fn record(is_admitted: bool, address: Option<IpAddr>) -> bool {
    if let Some(count) = SUPPRESSED.record(is_admitted, Instant::now()) {
        let latest_address = (!is_admitted).then_some(address).flatten().map(tracing::field::display);
        log_entry!(WARN, count, latest_address, "log entries of refusals suppressed");
    }
    is_admitted
}

impl RefusalLog {
    fn new() -> RefusalLog {
        RefusalLog { by_address: AddressLimiter::new(ENTRIES), by_connection: KeyedLimiter::new(ENTRIES) }
    }
}

/// Counts the entries that were not written.
struct Suppressed {
    count: AtomicU64,
    started_at: Instant,
    /// When the last summary was written, in seconds after `started_at`.
    summarized_at: AtomicU64,
}

impl Suppressed {
    fn new(started_at: Instant) -> Suppressed {
        Suppressed { count: AtomicU64::new(0), started_at, summarized_at: AtomicU64::new(0) }
    }

    /// Records an entry. Returns the number of entries since the last summary that were not written, if a summary is due.
    fn record(&self, is_written: bool, now: Instant) -> Option<u64> {
        if !is_written {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let elapsed = now.saturating_duration_since(self.started_at).as_secs();
        let summarized_at = self.summarized_at.load(Ordering::Relaxed);
        let is_due = elapsed.saturating_sub(summarized_at) >= SUMMARY_INTERVAL.as_secs();
        // One thread writes it.
        let is_elected = is_due
            && self
                .summarized_at
                .compare_exchange(summarized_at, elapsed, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        is_elected.then(|| self.count.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_counts_what_was_not_written_and_is_due_once_per_minute() {
        let start = Instant::now();
        let suppressed = Suppressed::new(start);
        let record = |is_written, seconds| suppressed.record(is_written, start + Duration::from_secs(seconds));
        assert_eq!(record(true, 100), None, "all were written");
        assert_eq!(record(false, 10), None);
        assert_eq!(record(true, 59), None);
        assert_eq!(record(false, 60), Some(2));
        assert_eq!((record(false, 61), record(true, 119)), (None, None));
        assert_eq!(record(true, 120), Some(1));
        assert_eq!(record(true, 300), None, "all were written since");
    }
}
