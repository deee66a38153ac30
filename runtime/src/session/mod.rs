//! What the endpoint keeps about each connection: its [`Session`] in the [`SessionRegistry`], its send queue, its group
//! memberships, and the revalidator that applies a change of rights to it.

pub(crate) mod backpressure;
pub(crate) mod connections;
pub(crate) mod current_scope;
mod deferral;
pub(crate) mod deferred;
pub(crate) mod delivery_path;
mod discarded;
mod drain;
mod drain_handle;
mod drain_state;
mod drain_task;
#[cfg(feature = "testing")]
mod encoding_checks;
pub(crate) mod flusher;
mod lingering;
#[cfg(loom)]
#[cfg(test)]
mod loom_tests;
pub(crate) mod membership;
pub(crate) mod memberships;
mod notice;
pub(crate) mod overflow;
#[cfg(test)]
#[cfg(not(loom))]
mod panic_tests;
pub(crate) mod pending_raises;
mod queue_state;
pub(crate) mod queued_event;
mod reauthentication;
mod refresh;
mod refresh_target;
mod registry;
mod remote_change;
mod renewal;
mod renewal_schedule;
pub(crate) mod replay_budget;
pub(crate) mod revalidation;
mod revalidator;
pub(crate) mod send_queue;
#[expect(clippy::module_inception, reason = "a file is named for its main type")]
pub(crate) mod session;
mod session_guard;
mod snapshot_handle;

pub(crate) use backpressure::{MAX_DELIVERIES_PER_TURN, PACER, Pacer};
pub use connections::Connections;
pub(crate) use current_scope::CurrentScope;
pub use drain::{Drain, DrainReport};
pub use drain_handle::DrainHandle;
pub(crate) use drain_state::DrainPhase;
pub(crate) use flusher::NotifyAfterPoll;
pub(crate) use overflow::Coalesce;
pub use overflow::OverflowPolicy;
pub use refresh::Refresh;
pub(crate) use registry::RemoteUserCache;
pub(crate) use send_queue::{Dequeued, SendQueue};
pub(crate) use session::{Session, SessionLimits, SessionRegistry};
pub(crate) use session_guard::SessionGuard;
pub use snapshot_handle::SnapshotHandle;
