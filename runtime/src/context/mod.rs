//! Who is connected, how they came in, and the message that is on its way.

mod call;
mod connect;
mod context;
mod granted;
mod handler;
mod opened;
mod start_gate;
mod user;

pub use call::{Admitted, Call};
pub(crate) use call::{Capture, Captures, Step, Steps};
pub use connect::Connect;
pub use context::Context;
pub(crate) use context::Visible;
pub use granted::{GrantKey, GrantKeys, may_on};
pub(crate) use granted::{Keys, keys};
pub use handler::Handler;
pub use opened::Scope;
pub(crate) use start_gate::{StartGate, StartOutcome};
pub use user::User;
