//! Connections over a real socket.

mod http2;
mod peer_gone;
mod tls;
mod upgrade;
mod websocket;
