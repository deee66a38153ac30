//! Connections over a real socket.

mod peer_gone;
mod websocket;
