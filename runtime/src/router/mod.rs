//! From a frame to its reply: the route is matched whole, the consumer is entered, the outcome is told.

mod answer;
mod deadline;
mod matching;

pub(crate) use answer::{Answerer, panicked, report};
pub(crate) use deadline::deadline;
