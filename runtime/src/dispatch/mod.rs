//! From a frame to its reply: the route is matched whole, the consumer is entered, the outcome is told.

mod authenticate;
mod blocking;
mod dispatcher;
mod reauthorization;
mod report;
mod route_match;

pub(crate) use dispatcher::{Dispatcher, Outcome, StreamStep};
pub(crate) use reauthorization::AuthorizedAt;
pub(crate) use report::{fault_id, panic_error, report};
