//! The frames that a connection receives and sends.

use std::ops::Deref;

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::Instant;

use super::{CloseFrame, CloseReason};

/// The text of a frame, which may be sent to many connections. Cloned without copying the text.
#[derive(Debug, Clone)]
pub(crate) struct FrameText(pub(super) ByteString);

impl FrameText {
    /// Returns the text in a buffer of its own, for a message that waits. A text that was received shares its buffer with
    /// all frames that were read at once, and behind a long frame these are many.
    pub(crate) fn to_unshared(&self) -> FrameText {
        FrameText::from(&**self)
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

/// The opcode of a text frame (RFC 6455, section 5.2).
pub(super) const TEXT: u8 = 0x1;

/// The maximum length of the header of a frame that the server sends, in bytes.
const MAX_HEADER_BYTES: usize = 10;

/// Appends a frame of the server: final and without a mask.
#[inline]
pub(super) fn encode(opcode: u8, payload: &[u8], output: &mut Vec<u8>) {
    output.reserve(payload.len() + MAX_HEADER_BYTES);
    let first = 0x80 | opcode;
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => output.extend_from_slice(&[first, length]),
        (_, Ok(length)) => {
            let [a, b] = length.to_be_bytes();
            output.extend_from_slice(&[first, 126, a, b]);
        }
        _ => {
            output.extend_from_slice(&[first, 127]);
            output.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    output.extend_from_slice(payload);
}

/// A text frame with its header, as it is written to a socket. It is encoded once and shared by all connections that get it.
#[derive(Debug, Clone)]
pub(crate) struct EventFrame(Bytes);

impl EventFrame {
    /// Encodes a text.
    pub(crate) fn new(text: &str) -> EventFrame {
        let mut frame = Vec::new();
        encode(TEXT, text.as_bytes(), &mut frame);
        EventFrame(frame.into())
    }

    /// Returns the frame, header included.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the length of the text, in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len() - self.header_bytes()
    }

    /// Returns the text. Checks that it is UTF-8, so this is not for every delivery.
    pub(crate) fn text(&self) -> FrameText {
        // Always UTF-8, because it was made of a string.
        FrameText(ByteString::try_from(self.0.slice(self.header_bytes()..)).unwrap_or_default())
    }

    /// Returns the length of the header, which follows from that of the frame.
    #[inline]
    fn header_bytes(&self) -> usize {
        match self.0.len() {
            ..128 => 2,
            128..65_540 => 4,
            _ => MAX_HEADER_BYTES,
        }
    }
}

/// A frame from the peer.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A text frame: a message.
    Text(FrameText),
    /// A binary frame, which no dialect reads.
    Binary,
    /// A ping, which the transport answers: the peer is alive.
    Ping,
    /// A pong: the peer is alive.
    Pong,
    /// A message above the limit of its connection. No transport returns it; the connection puts it in place of the message,
    /// because with a type of its own each frame would be converted. Boxed, so that it does not make the others larger.
    Excess(Box<ExcessMessage>),
    /// An error after which the transport decodes no further frame. The connection must be closed for this reason.
    Broken(CloseReason),
}

/// A message above the limit of its connection.
#[derive(Debug)]
pub(crate) struct ExcessMessage {
    /// `None` for a binary frame.
    pub(crate) text: Option<FrameText>,
    /// When the client may try again.
    pub(crate) retry_at: Instant,
}

impl Incoming {
    /// Returns the text of the message, if it has one.
    pub(crate) fn text(&self) -> Option<&FrameText> {
        match self {
            Incoming::Text(text) => Some(text),
            Incoming::Excess(message) => message.text.as_ref(),
            Incoming::Binary | Incoming::Ping | Incoming::Pong | Incoming::Broken(_) => None,
        }
    }

    /// Returns the size of the message in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().map_or(0, |text| text.len())
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
    Event(EventFrame),
    /// A ping, which the peer has to answer.
    Ping,
    /// Boxed, so that it does not make the other frames larger.
    Close(Box<CloseFrame>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_frame_knows_its_text() {
        for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537] {
            let (text, mut frame) = ("a".repeat(length), Vec::new());
            encode(TEXT, text.as_bytes(), &mut frame);
            let event = EventFrame::new(&text);
            assert_eq!((event.as_bytes(), event.len()), (&frame[..], length));
            assert_eq!(*event.text(), *text);
        }
    }
}
