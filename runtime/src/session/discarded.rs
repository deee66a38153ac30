//! What a send queue discards.

use crate::observe::Telemetry;
use crate::panic::drop_contained;

/// What an operation has discarded. Dropping it drops the events, which may run the application's code, and reports the
/// overflow, which may run a recorder of metrics: not under a lock.
#[must_use]
pub(crate) struct Discarded<'q, N> {
    pub(super) handles: Vec<N>,
    /// The number of queued events that the overflow policy has dropped.
    pub(super) dropped: usize,
    /// Whether the connection ends with 1013.
    pub(super) is_closed: bool,
    telemetry: &'q Telemetry,
}

impl<N> Discarded<'_, N> {
    pub(super) fn nothing(telemetry: &Telemetry) -> Discarded<'_, N> {
        Discarded { handles: Vec::new(), dropped: 0, is_closed: false, telemetry }
    }
}

impl<N> Drop for Discarded<'_, N> {
    fn drop(&mut self) {
        drop_contained(std::mem::take(&mut self.handles));
        self.telemetry.record_overflow(self.dropped, self.is_closed);
    }
}
