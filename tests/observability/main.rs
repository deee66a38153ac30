//! Spans, snapshots, observers and metrics, and the tables of the chapter on observability. A process of their own, because
//! they install a global `tracing` subscriber: a blocking action logs on another thread.

#[path = "../common/mod.rs"]
mod common;

mod capture;
mod counting;
mod desk;
mod example;
mod metrics;
mod observer;
mod panicking_log;
mod panicking_subscriber;
mod recorder;
mod snapshot;
mod spans;
mod table;
