//! The frames that a connection receives and sends.

use std::ops::Deref;

use super::{CloseFrame, CloseReason};

/// Cloned without copying the text. With axum, the type that its WebSocket sends.
#[cfg(feature = "axum")]
type Utf8Text = axum::extract::ws::Utf8Bytes;
#[cfg(not(feature = "axum"))]
type Utf8Text = std::sync::Arc<str>;

/// The text of a frame, which may be sent to many connections. It is known to be UTF-8, so sending does not validate it
/// again.
#[derive(Debug, Clone)]
pub(crate) struct FrameText(pub(super) Utf8Text);

impl Deref for FrameText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FrameText {
    fn from(text: &str) -> FrameText {
        FrameText(text.into())
    }
}

impl From<String> for FrameText {
    fn from(text: String) -> FrameText {
        FrameText(text.into())
    }
}

/// A frame from the peer.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A text frame: a message.
    Text(FrameText),
    /// A binary frame, which no dialect reads.
    Binary,
    /// A ping or a pong: the peer is alive.
    Ping,
    /// An error after which the transport cannot read any further. The connection must be closed with this code.
    Broken(CloseReason),
}

impl Incoming {
    /// Returns the size of the message in bytes.
    pub(crate) fn len(&self) -> usize {
        if let Incoming::Text(text) = self { text.len() } else { 0 }
    }
}

/// A frame to the peer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A text frame.
    Text(FrameText),
    /// A ping, which the peer has to answer.
    Ping,
    /// Boxed, so that it does not make the other frames larger.
    Close(Box<CloseFrame>),
}
