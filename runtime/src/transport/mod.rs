//! Transports: the frames of a connection, whatever carries them. Independent of actions and dialects.

mod close_frame;
mod close_reason;
#[cfg(feature = "axum")]
mod codec;
mod connection_end;
mod frame;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "axum")]
pub(crate) mod websocket;

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;

pub(crate) use close_frame::CloseFrame;
pub(crate) use close_reason::CloseReason;
pub(crate) use connection_end::ConnectionEnd;
pub(crate) use frame::{EventFrame, ExcessMessage, FrameText, Incoming, Outgoing};

/// Carries the frames of one connection.
///
/// The stream ends when the connection is lost, and after a close frame of the peer. After [`Incoming::Broken`] it drops
/// what arrives, and ends with the connection. The transport answers the pings of the peer, and its close frame.
pub(crate) trait Transport: Stream<Item = Incoming> + Unpin + Send + 'static {
    /// Waits until the transport can take a frame.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>>;

    /// Takes a frame, which a flush sends. [`poll_ready`](Transport::poll_ready) must have been ready before, except for a
    /// close frame. Nothing is sent after a close frame.
    fn start_send(&mut self, frame: Outgoing<'_>) -> Result<(), Gone>;

    /// Sends the frames that were taken.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>>;

    /// Sends the frames that were taken, and ends the outgoing half of the connection.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>>;

    /// Takes a second handle that writes to the same connection, if there is one. Its owner must not write while this
    /// transport has anything to send.
    fn take_socket_writer(&mut self) -> Option<Arc<dyn SocketWriter>> {
        None
    }

    /// Returns whether bytes were taken that are not sent yet. Among them may be an answer of the transport itself, of which
    /// the connection does not know.
    fn has_unsent(&self) -> bool {
        true
    }

    /// Takes the rest of a frame of which the socket writer has sent a part. It is sent before all else.
    fn resume(&mut self, _rest: Vec<u8>) {}
}

/// Writes whole frames to the socket of a connection, past its transport.
pub(crate) trait SocketWriter: Send + Sync {
    /// Writes as many of the bytes as the socket takes at once, and returns their number.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the socket takes none, or any other error of the socket.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// The error of sending on a connection that is lost or closed.
#[derive(Debug)]
pub(crate) struct Gone;
