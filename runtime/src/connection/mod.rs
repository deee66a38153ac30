//! One live connection.

mod detached;
mod event_loop;
mod heartbeat;
mod io;
mod limits;
mod message_task;
mod run;

pub use limits::Limits;
pub(crate) use run::run;
