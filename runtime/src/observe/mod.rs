//! What an endpoint counts and reports about itself: counters, spans, observations and metrics. [`Telemetry`] is where the
//! other layers report it.

mod action_counts;
mod action_table;
mod event_counters;
mod gauge;
#[cfg(feature = "metrics")]
mod instruments;
mod observed_action;
mod observer;
mod observer_thread;
mod panic_count;
mod running_action;
mod snapshot;
mod spans;
mod telemetry;

pub use action_counts::{ActionCounts, ActionOutcome};
pub(crate) use action_table::ActionTable;
pub use event_counters::EventCounters;
#[cfg(feature = "metrics")]
pub use instruments::{ACTION_DURATION_BUCKETS, CONNECTION_DURATION_BUCKETS};
pub use observer::{
    ActionFinished, ActionStarted, ConnectionClosed, ConnectionOpened, EventPublished, HandshakeRejected, Observer,
    QueueOverflowed,
};
pub(crate) use running_action::RunningAction;
pub use snapshot::{
    ClusterCounts, ConnectionCounts, EndpointState, GrantLoads, GroupCounts, HandshakeCounts, MessageCounts,
    ObserverCounts, RecorderCounts, Snapshot,
};
pub(crate) use spans::{connection_span, record_user};
pub(crate) use telemetry::{DetachedAction, Telemetry};
