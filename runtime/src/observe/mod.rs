//! What an endpoint counts and reports about itself.

mod event_counters;

pub(crate) use event_counters::CounterCells;
pub use event_counters::EventCounters;
