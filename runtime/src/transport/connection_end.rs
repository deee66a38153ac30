//! Why a connection ends: one type from the send queue to the event loop.

use super::{CloseReason, Gone};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    /// The peer has closed the stream, or cannot be written to.
    PeerGone,
    /// The server closes the connection with this code.
    Close(CloseReason),
}

impl From<Gone> for ConnectionEnd {
    fn from(_: Gone) -> ConnectionEnd {
        ConnectionEnd::PeerGone
    }
}
