//! Endpoints: mounting a consumer, and the handshake that turns an HTTP request into a connection.

mod authenticate;
mod cancel;
mod declared_headers;
mod endpoint;
mod handshake;
mod origin;
#[cfg(feature = "axum")]
mod service;
mod start_up;
#[cfg(feature = "axum")]
mod upgrade;

pub use authenticate::Authenticate;
pub use endpoint::{Endpoint, websocket};
#[cfg(feature = "testing")]
pub(crate) use handshake::Rejection;
