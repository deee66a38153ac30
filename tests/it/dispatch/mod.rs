//! From one message to its reply: order, time limits, reply formats and results.

mod ordering;
mod replies;
mod results;
