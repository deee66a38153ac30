//! Frames in, frames out. Nothing here knows what an action is.

mod close_code;
mod frame;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "axum")]
mod readiness;
#[cfg(feature = "axum")]
pub(crate) mod websocket;

use futures_util::{Sink, Stream};

pub(crate) use close_code::CloseCode;
pub(crate) use frame::{FrameText, Incoming, Outgoing};

/// What carries the frames of one connection.
///
/// The stream ends when the peer is gone, when it has said that it goes, and after [`Incoming::Broken`]. Pings of the peer are answered by the transport.
pub(crate) trait Transport: Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send {}

impl<T: Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send> Transport for T {}

/// Nothing can be sent any more.
#[derive(Debug)]
pub(crate) struct Gone;
