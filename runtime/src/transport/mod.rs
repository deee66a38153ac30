//! Transports: the frames of a connection, whatever carries them. Independent of actions and dialects.

mod close_frame;
mod close_reason;
mod connection_end;
mod frame;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "axum")]
mod readiness;
#[cfg(feature = "axum")]
pub(crate) mod websocket;

use futures_util::{Sink, Stream};

pub(crate) use close_frame::CloseFrame;
pub(crate) use close_reason::CloseReason;
pub(crate) use connection_end::ConnectionEnd;
pub(crate) use frame::{FrameText, Incoming, Outgoing};

/// Carries the frames of one connection.
///
/// The stream ends when the connection is lost, after a close frame of the peer, and after [`Incoming::Broken`]. The
/// transport answers the pings of the peer.
pub(crate) trait Transport:
    Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send + 'static
{
}

impl<T: Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send + 'static> Transport for T {}

/// The error of sending on a connection that is lost or closed.
#[derive(Debug)]
pub(crate) struct Gone;
