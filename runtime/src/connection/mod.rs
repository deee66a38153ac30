//! The task of one connection: its hooks, its messages in order, its detached tasks, and the I/O of its socket.

mod completion;
mod detached;
mod event_holds;
mod event_loop;
mod heartbeat;
mod io;
mod limits;
mod linger;
mod link;
mod message_limiter;
mod message_task;
mod readiness;
mod run;
mod slots;

pub use limits::Limits;
#[cfg(any(feature = "axum", feature = "testing"))]
pub(crate) use link::close;
pub(crate) use run::{ConnectionSettings, run};
