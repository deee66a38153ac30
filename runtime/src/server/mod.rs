//! Endpoints: mounting a consumer, and the handshake that turns an HTTP request into a connection.

mod allowed_origins;
mod authenticate;
#[cfg(feature = "axum")]
mod behind_proxies;
mod cancel;
#[cfg(feature = "axum")]
mod client_address;
mod cluster;
mod declared_headers;
mod endpoint;
mod handshake;
mod handshake_limiter;
mod negotiation;
mod observe;
mod origin;
mod present_users;
mod presented_ticket;
#[cfg(any(feature = "axum", feature = "testing"))]
mod refuse_with_close;
mod rejection;
#[cfg(feature = "axum")]
mod service;
#[cfg(feature = "axum")]
mod shutdown_signals;
mod start_up;
mod subprotocols;
mod tickets;
#[cfg(feature = "axum")]
mod upgrade;

pub use authenticate::Authenticate;
pub use endpoint::{Endpoint, websocket};
