//! One live connection.

mod heartbeat;
mod limits;
mod outbox;
mod run;

pub use limits::Limits;
pub(crate) use run::run;
