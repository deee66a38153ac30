//! Connections over a real socket.

// Counts what `/proc` lists.
#[cfg(target_os = "linux")]
mod descriptors;
mod expiry;
mod faulty_stream;
mod flusher;
mod http2;
mod mid_frame;
mod page_feed;
mod peer_gone;
mod stuck_reader;
mod tls;
mod two_runtimes;
mod upgrade;
mod websocket;
mod writes;
