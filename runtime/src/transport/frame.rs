//! Frames as a connection sees them, and their text.

use std::ops::Deref;

use super::CloseCode;

/// Shared without a copy, and what a socket takes as it is.
#[cfg(feature = "axum")]
type Utf8Text = axum::extract::ws::Utf8Bytes;
#[cfg(not(feature = "axum"))]
type Utf8Text = std::sync::Arc<str>;

/// The text of a frame, which may go to many. That it is UTF-8 is found out once, not for each of them.
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
    /// A message.
    Text(FrameText),
    /// A message that is none of ours.
    Binary,
    /// A sign of life.
    Ping,
    /// What the transport cannot read on from; the connection is to be closed with this code.
    Broken(CloseCode),
}

/// A frame to the peer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A text frame.
    Text(FrameText),
    /// A question whether the peer is still there.
    Ping,
    /// The end, with its code.
    Close(CloseCode),
}
