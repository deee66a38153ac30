//! The tests that all brokers pass, and those of the servers' own behaviour.
//!
//! The servers are those of `REDIS_URL` and `NATS_URL`, or the ones at the usual ports of this machine. If none answers, the
//! tests that need it are skipped, except with the variable `CI`. The tests of outages start servers of their own.

mod conformance;
mod large_logs;
mod log_expiry;
#[cfg(any(feature = "nats", feature = "redis"))]
mod log_outages;
mod log_purges;
#[cfg(any(feature = "nats", feature = "redis"))]
mod log_reads;
mod logs;
#[cfg(feature = "nats")]
mod nats;
#[cfg(any(feature = "nats", feature = "redis"))]
mod outages;
pub(super) mod recorder;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_logs;
#[cfg(any(feature = "nats", feature = "redis"))]
mod server;
mod service;

use super::Channel;

/// The channel with an index.
pub(super) fn channel(index: usize) -> Channel {
    Channel::from_index(index).unwrap()
}
