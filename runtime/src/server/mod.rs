//! The door: who may open a connection, and how a request becomes one.

mod authenticate;
mod door;
mod endpoint;
mod origin;
#[cfg(feature = "axum")]
mod upgrade;

pub use authenticate::Authenticate;
#[cfg(feature = "testing")]
pub(crate) use door::Turned;
pub use endpoint::{Endpoint, websocket};
