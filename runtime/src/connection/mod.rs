//! One live connection.

mod answer;
mod aside;
mod beside;
mod heartbeat;
mod limits;
mod outbox;
mod run;

pub use limits::Limits;
pub(crate) use run::run;
