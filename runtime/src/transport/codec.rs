//! The server's side of the WebSocket framing of RFC 6455, on bytes: independent of sockets.

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;

use super::CloseReason;
use super::frame::{TEXT, encode};

/// The opcodes of RFC 6455, section 5.2.
const CONTINUATION: u8 = 0x0;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// The maximum length of the payload of a control frame, in bytes (RFC 6455, section 5.5).
pub(super) const MAX_CONTROL_BYTES: usize = 125;

/// What the decoder has found at the front of its input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
    /// A ping, which a pong with the same payload answers.
    Ping(Bytes),
    Pong,
    /// A close frame with its code, if it has one.
    Close(Option<u16>),
    /// The frame is incomplete: at least this many bytes are missing.
    Incomplete(usize),
}

/// Decodes the frames of one client.
#[derive(Debug)]
pub(super) struct Decoder {
    max_message_bytes: usize,
    /// The fragments of an incomplete message. Boxed, because clients rarely send fragments.
    fragments: Option<Box<Fragments>>,
}

/// The fragments of a message whose last fragment is outstanding.
#[derive(Debug, Default)]
struct Fragments {
    is_text: bool,
    data: Vec<u8>,
    /// The length of the part of a text that is known to be UTF-8.
    valid_up_to: usize,
}

/// The header of a frame.
struct Header {
    opcode: u8,
    is_final: bool,
    mask: [u8; 4],
    /// The length of the header itself, in bytes.
    length: usize,
    payload_bytes: usize,
}

impl Decoder {
    /// Creates a decoder that accepts messages of at most `max_message_bytes` bytes, all fragments together.
    pub(super) fn new(max_message_bytes: usize) -> Decoder {
        Decoder { max_message_bytes, fragments: None }
    }

    /// Removes the next message or control frame from the input. A fragment is removed, and the frame after it is decoded.
    ///
    /// # Errors
    ///
    /// The code with which the connection must be closed. The decoder must not be used after that.
    #[inline]
    pub(super) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, CloseReason> {
        loop {
            let header = match self.decode_header(input)? {
                Ok(header) => header,
                Err(missing) => return Ok(Decoded::Incomplete(missing)),
            };
            // Without overflow: a payload is at most as long as the limit of a message, and no limit is near `usize::MAX`.
            let frame_bytes = header.length.saturating_add(header.payload_bytes);
            if input.len() < frame_bytes {
                return Ok(Decoded::Incomplete(frame_bytes - input.len()));
            }
            unmask(&mut input[header.length..frame_bytes], header.mask);
            let payload = if input.len() == frame_bytes {
                // Without a handle to the rest, the payload owns its buffer.
                let mut frame = std::mem::take(input);
                frame.advance(header.length);
                frame.freeze()
            } else {
                input.advance(header.length);
                input.split_to(header.payload_bytes).freeze()
            };
            match header.opcode {
                TEXT if header.is_final => {
                    return ByteString::try_from(payload).map(Decoded::Text).map_err(|_| CloseReason::InvalidUtf8);
                }
                BINARY if header.is_final => return Ok(Decoded::Binary(payload)),
                TEXT | BINARY | CONTINUATION => {
                    if let Some(message) = self.push_fragment(&header, &payload)? {
                        return Ok(message);
                    }
                }
                PING => return Ok(Decoded::Ping(payload)),
                PONG => return Ok(Decoded::Pong),
                _ => return decode_close(&payload).map(Decoded::Close),
            }
        }
    }

    /// Decodes the header at the front of the input. The inner error is the number of bytes that are missing at least.
    #[inline]
    fn decode_header(&self, input: &[u8]) -> Result<Result<Header, usize>, CloseReason> {
        let [first, second, rest @ ..] = input else { return Ok(Err(6 - input.len())) };
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        // The reserved bits belong to extensions, and none was negotiated. Frames of a client are masked.
        if first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(CloseReason::ProtocolError);
        }
        let (payload_bytes, mask_offset) = match second & 0x7F {
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
                None => return self.incomplete_header(opcode, is_final, 8 - input.len()),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 10),
                None => return self.incomplete_header(opcode, is_final, 14 - input.len()),
            },
            length => (u64::from(length), 2),
        };
        // A length has its shortest form, and its highest bit is not set.
        if (mask_offset == 4 && payload_bytes < 126)
            || (mask_offset == 10 && (payload_bytes <= 0xFFFF || payload_bytes >> 63 != 0))
        {
            return Err(CloseReason::ProtocolError);
        }
        self.check_opcode(opcode, is_final)?;
        if opcode >= CLOSE {
            if payload_bytes > MAX_CONTROL_BYTES as u64 {
                return Err(CloseReason::ProtocolError);
            }
        } else {
            let received = self.fragments.as_ref().map_or(0, |fragments| fragments.data.len());
            if payload_bytes > self.max_message_bytes.saturating_sub(received) as u64 {
                return Err(CloseReason::MessageTooLarge);
            }
        }
        let length = mask_offset + 4;
        let Some(&[a, b, c, d]) = input.get(mask_offset..length) else { return Ok(Err(length - input.len())) };
        let payload_bytes = usize::try_from(payload_bytes).map_err(|_| CloseReason::MessageTooLarge)?;
        Ok(Ok(Header { opcode, is_final, mask: [a, b, c, d], length, payload_bytes }))
    }

    /// Returns how many bytes of a header are missing whose length is incomplete. A control frame has no such length.
    #[cold]
    fn incomplete_header(
        &self,
        opcode: u8,
        is_final: bool,
        missing: usize,
    ) -> Result<Result<Header, usize>, CloseReason> {
        self.check_opcode(opcode, is_final)?;
        if opcode >= CLOSE { Err(CloseReason::ProtocolError) } else { Ok(Err(missing)) }
    }

    /// Returns an error if a frame with this opcode cannot follow.
    #[inline]
    fn check_opcode(&self, opcode: u8, is_final: bool) -> Result<(), CloseReason> {
        match opcode {
            CONTINUATION if self.fragments.is_some() => Ok(()),
            TEXT | BINARY if self.fragments.is_none() => Ok(()),
            CLOSE | PING | PONG if is_final => Ok(()),
            _ => Err(CloseReason::ProtocolError),
        }
    }

    /// Adds a fragment. Returns the message if the fragment is the last one.
    #[cold]
    fn push_fragment(&mut self, header: &Header, payload: &[u8]) -> Result<Option<Decoded>, CloseReason> {
        let mut fragments = self.fragments.take().unwrap_or_default();
        if header.opcode != CONTINUATION {
            fragments.is_text = header.opcode == TEXT;
        }
        if fragments.is_text {
            fragments.push_text(payload, header.is_final)?;
        } else {
            fragments.data.extend_from_slice(payload);
        }
        if !header.is_final {
            self.fragments = Some(fragments);
            return Ok(None);
        }
        if !fragments.is_text {
            return Ok(Some(Decoded::Binary(fragments.data.into())));
        }
        ByteString::try_from(fragments.data).map(|text| Some(Decoded::Text(text))).map_err(|_| CloseReason::InvalidUtf8)
    }
}

impl Fragments {
    /// Adds a fragment of a text. Fails as soon as the text cannot become UTF-8 any more.
    fn push_text(&mut self, payload: &[u8], is_final: bool) -> Result<(), CloseReason> {
        self.data.extend_from_slice(payload);
        match std::str::from_utf8(&self.data[self.valid_up_to..]) {
            Ok(text) => self.valid_up_to += text.len(),
            Err(error) if is_final || error.error_len().is_some() => return Err(CloseReason::InvalidUtf8),
            Err(error) => self.valid_up_to += error.valid_up_to(),
        }
        Ok(())
    }
}

/// Returns the code in the payload of a close frame (RFC 6455, sections 5.5.1 and 7.4).
fn decode_close(payload: &[u8]) -> Result<Option<u16>, CloseReason> {
    match payload {
        [] => Ok(None),
        [_] => Err(CloseReason::ProtocolError),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(CloseReason::ProtocolError);
            }
            std::str::from_utf8(reason).map_err(|_| CloseReason::InvalidUtf8)?;
            Ok(Some(code))
        }
    }
}

/// Removes the mask from a payload.
#[inline]
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mask = u64::from(u32::from_ne_bytes(mask));
    let wide_mask = mask << 32 | mask;
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide_mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide_mask.to_ne_bytes()) {
        *byte ^= mask;
    }
}

/// Appends a close frame with a reason of at most 123 bytes.
pub(super) fn encode_close(code: Option<u16>, reason: &str, output: &mut Vec<u8>) {
    let Some(code) = code else { return encode(CLOSE, &[], output) };
    encode(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat(), output);
}

#[cfg(test)]
mod tests;
