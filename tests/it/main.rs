//! The integration tests that can share one process. Tests that need a process of their own (the program-wide registry or
//! audit, a global tracing subscriber, a panic hook, an allocator) are separate binaries next to this folder.
//!
//! Consumers and codenames are registered by name for the entire program, so fixtures have distinct names.

#[path = "../common/mod.rs"]
mod common;

mod arguments;
mod backpressure;
mod cancel;
mod captures;
mod closing;
mod connect;
mod detached;
mod dispatch;
mod drain;
mod ending;
mod errors;
mod events;
mod examples;
mod fairness;
mod faults;
mod generic_blocks;
mod grants;
mod handshake_limits;
mod headers;
mod lifecycle;
mod logging;
mod objects;
mod permission_kinds;
mod permissions;
mod presence;
mod publisher_ready;
mod publishing;
mod rates;
mod reauthentication;
mod reauthorization;
mod refuse_with_close;
mod rename_all;
mod revalidation;
mod revocation;
mod routes;
mod rules;
mod stream_order;
mod streams;
mod subprotocols;
mod subscriptions;
mod testing_client;
mod tickets;
mod time_limits;
mod transport;
mod validation;
mod wire_protocol;
