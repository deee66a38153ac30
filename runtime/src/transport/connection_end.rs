//! Why a connection ends: one type from the send queue to the event loop.

use super::{CloseReason, Gone};
use crate::context::CloseCode;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    /// The peer has closed the stream, or cannot be written to.
    PeerGone,
    /// The server closes the connection for this reason.
    Close(CloseReason),
    /// An action has closed the connection with this code.
    ClosedByAction(CloseCode),
}

impl From<Gone> for ConnectionEnd {
    fn from(_: Gone) -> ConnectionEnd {
        ConnectionEnd::PeerGone
    }
}
