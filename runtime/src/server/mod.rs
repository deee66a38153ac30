//! The door: who may open a connection, and how a request becomes one.

mod authenticate;
mod endpoint;
mod handshake;
mod origin;
#[cfg(feature = "axum")]
mod service;

pub use authenticate::Authenticate;
pub use endpoint::{Endpoint, websocket};
#[cfg(feature = "testing")]
pub(crate) use handshake::Rejection;
