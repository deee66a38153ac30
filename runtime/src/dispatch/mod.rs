//! From a frame to its reply: the route is matched whole, the consumer is entered, the outcome is told.

mod again;
mod answer;
mod deadline;
mod identity;
mod matching;
mod refusal;

pub(crate) use again::Asked;
pub(crate) use answer::{Answerer, Outcome, Value};
pub(crate) use deadline::deadline;
pub(crate) use refusal::{fault_id, panicked, report};
