//! How an endpoint is drained, and with what result: [`Drain`] and [`DrainReport`].

use std::time::Duration;

use tokio::time::Instant;

use crate::time::add_saturating;

/// The times of a drain, see [`DrainHandle`](crate::DrainHandle).
///
/// ```
/// use std::time::Duration;
/// use portcullis::Drain;
///
/// let drain = Drain { window: Duration::from_secs(60), deadline: Duration::from_secs(90), ..Drain::default() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written with `..Drain::default()`; new times come with a new version")]
pub struct Drain {
    /// How long upgrades are still accepted after [`start`](crate::DrainHandle::start), while
    /// [`is_ready`](crate::DrainHandle::is_ready) already returns `false`. Should be longer than a balancer takes to
    /// notice. Default: 5 s.
    pub notice: Duration,
    /// The time after the notice over which the connections are closed, at a constant rate. It should be long enough
    /// for the other machines to take over the connections. Default: 10 s.
    pub window: Duration,
    /// The time after [`start`](crate::DrainHandle::start) at which the actions that still run are dropped. It ends the
    /// notice and the window too if they are longer, so it should leave time for the actions of the last connections.
    /// All connections have ended about two seconds later. Default: 25 s, which fits into the 30 s that Kubernetes
    /// grants.
    pub deadline: Duration,
}

impl Drain {
    /// A drain that closes all connections and drops their actions at once.
    pub const NOW: Drain = Drain { notice: Duration::ZERO, window: Duration::ZERO, deadline: Duration::ZERO };
}

impl Default for Drain {
    fn default() -> Drain {
        Drain { notice: Duration::from_secs(5), window: Duration::from_secs(10), deadline: Duration::from_secs(25) }
    }
}

/// The result of a drain: `closed` is the sum of `finished` and `cut`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// The number of connections that were open when the notice ended, including those whose client left before the
    /// server closed them and those whose handshake had just been accepted.
    pub closed: usize,
    /// The number of those of which nothing was cut: their actions and hooks have ended.
    pub finished: usize,
    /// The number of those of which an action, `#[connect]` or `#[disconnect]` was dropped, or has not ended at all.
    pub cut: usize,
}

/// When the steps of a drain take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DrainSchedule {
    pub(super) notice_until: Instant,
    pub(super) window_until: Instant,
    pub(super) deadline: Instant,
}

impl DrainSchedule {
    pub(super) fn new(drain: &Drain, now: Instant) -> DrainSchedule {
        let deadline = add_saturating(now, drain.deadline);
        let notice_until = add_saturating(now, drain.notice).min(deadline);
        let window_until = add_saturating(notice_until, drain.window).min(deadline);
        DrainSchedule { notice_until, window_until, deadline }
    }

    /// Moves each step forward that the other schedule has earlier.
    pub(super) fn shorten(&mut self, other: &DrainSchedule) {
        self.notice_until = self.notice_until.min(other.notice_until);
        self.window_until = self.window_until.min(other.window_until);
        self.deadline = self.deadline.min(other.deadline);
    }
}
