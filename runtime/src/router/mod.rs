//! From a frame to its reply: the route is matched whole, the consumer is entered, the outcome is told.

mod answer;
mod deadline;
mod matching;
mod refusal;

pub(crate) use answer::{Answerer, Value};
pub(crate) use deadline::deadline;
pub(crate) use refusal::{Cut, fault_id, panicked, report};
