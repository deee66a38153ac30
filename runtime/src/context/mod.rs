//! The scope of a connection, the call that is being dispatched, and the contexts through which application code reads them.

mod action_rates;
mod call;
mod call_session;
mod capture;
mod close;
mod close_code;
mod close_request;
mod connect;
mod connection_id;
#[expect(clippy::module_inception, reason = "a file is named for its main type")]
mod context;
mod disconnect;
mod epoch;
mod gap;
mod grants;
mod handler;
mod kept_answers;
mod kept_request;
mod rate_state;
mod scope;
mod side_effects;
mod start_gate;
mod user;

pub(crate) use action_rates::ActionRates;
pub use call::{Authorized, Call};
pub(crate) use call::{Step, Steps};
pub(crate) use call_session::CallSession;
pub(crate) use capture::{Capture, Captures};
pub use close_code::CloseCode;
pub(crate) use close_request::CloseRequest;
pub use connect::ConnectContext;
pub use connection_id::ConnectionId;
pub use context::{Context, PermissionContext};
pub use disconnect::{Disconnect, DisconnectReason};
pub(crate) use epoch::{Epoch, OwnEpochs};
pub use gap::Gap;
pub(crate) use grants::GrantKeyList;
pub use grants::{GrantKey, GrantKeys, collect_keys, may_on};
pub use handler::Handler;
pub(crate) use kept_answers::{KeptAnswers, KeptLeaves};
pub(crate) use kept_request::KeptHeaders;
#[cfg(any(feature = "axum", feature = "testing"))]
pub(crate) use kept_request::UrlParams;
pub(crate) use scope::PeerAddress;
pub use scope::Scope;
pub(crate) use side_effects::{SideEffect, SideEffects, Undo};
pub(crate) use start_gate::{StartGate, StartOutcome};
pub use user::User;
