//! Limits of fixtures.

use std::time::Duration;

use portcullis::Limits;

/// Longer than any test, also with a paused clock.
const NEVER: Duration = Duration::from_hours(10_000);

/// Returns the default limits without heartbeat and send timeout.
pub fn without_heartbeat() -> Limits {
    Limits { ping_interval: NEVER, idle_timeout: NEVER, send_timeout: NEVER, ..Limits::default() }
}

/// Returns the default limits without heartbeat, send timeout and action timeout.
pub fn without_timeouts() -> Limits {
    Limits { action_timeout: NEVER, ..without_heartbeat() }
}
