//! The frames that a connection receives and sends.

use std::ops::Deref;

use bytestring::ByteString;

use super::{CloseFrame, CloseReason};

/// The maximum number of bytes that are read at once into a buffer that frames share.
pub(super) const READ_BYTES: usize = 16 * 1024;

/// The text of a frame, which may be sent to many connections. Cloned without copying the text.
#[derive(Debug, Clone)]
pub(crate) struct FrameText(pub(super) ByteString);

impl FrameText {
    /// Returns the text in a buffer of its own, for a message that waits. A text that was received shares its buffer with
    /// all frames that were read at once; a long one is most of its buffer.
    pub(crate) fn to_unshared(&self) -> FrameText {
        if self.len() < READ_BYTES { FrameText::from(&**self) } else { self.clone() }
    }
}

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
    /// An error after which the transport decodes no further frame. The connection must be closed for this reason.
    Broken(CloseReason),
}

impl Incoming {
    /// Returns the size of the message in bytes.
    pub(crate) fn len(&self) -> usize {
        if let Incoming::Text(text) = self { text.len() } else { 0 }
    }

    /// Returns the frame in a buffer of its own, see [`FrameText::to_unshared`].
    pub(crate) fn into_unshared(self) -> Incoming {
        if let Incoming::Text(text) = &self { Incoming::Text(text.to_unshared()) } else { self }
    }
}

/// A frame to the peer.
#[derive(Debug)]
pub(crate) enum Outgoing<'a> {
    /// A text frame to this peer alone.
    Reply(&'a str),
    /// A text frame that other peers may get too.
    Event(FrameText),
    /// A ping, which the peer has to answer.
    Ping,
    /// Boxed, so that it does not make the other frames larger.
    Close(Box<CloseFrame>),
}
