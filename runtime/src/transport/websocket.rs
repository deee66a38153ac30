//! The WebSocket transport: frames over an upgraded stream.
//!
//! An idle connection keeps no buffer. Incoming bytes are read into a buffer of the thread and only then copied; the buffer
//! for outgoing bytes goes back to the thread once all of it is written.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::codec::{Decoded, Decoder, PING, PONG, encode_close};
use super::frame::{TEXT, encode};
use super::{CloseReason, FrameText, Gone, Incoming, Outgoing, SocketWriter, Transport};

/// The maximum number of bytes that are read at once into the buffer of the thread.
const READ_BYTES: usize = 16 * 1024;

/// The number of unsent bytes from which the transport takes no more frames, and answers no more pings.
const MAX_UNSENT_BYTES: usize = 64 * 1024;

thread_local! {
    static READ_BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
    static WRITE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The transport of one upgraded connection.
pub(crate) struct WebSocketTransport<S> {
    stream: S,
    decoder: Decoder,
    /// Bytes that were received and not decoded yet.
    input: BytesMut,
    /// Whether `input` is the rest of a buffer in front of which frames and fragments were decoded.
    is_input_shared: bool,
    /// Frames to be sent. The first `sent_bytes` are sent.
    output: Vec<u8>,
    sent_bytes: usize,
    /// Whether a pong was put into `output`, of which the connection does not know, and is not flushed yet.
    has_unsent_pong: bool,
    /// Whether a close frame was put into `output`, after which nothing is sent.
    has_sent_close: bool,
    read_state: ReadState,
    /// The second handle to `stream`, until the connection takes it.
    socket_writer: Option<Arc<dyn SocketWriter>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadState {
    Open,
    /// After a violation of the protocol: what arrives is dropped.
    Discarding,
    /// After a close frame, and after the end of the stream.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> WebSocketTransport<S> {
    /// Creates the transport of a stream, of which `received` was read before.
    pub(crate) fn new(stream: S, received: &[u8], max_message_bytes: usize) -> WebSocketTransport<S> {
        WebSocketTransport {
            stream,
            decoder: Decoder::new(max_message_bytes),
            input: BytesMut::from(received),
            is_input_shared: false,
            output: Vec::new(),
            sent_bytes: 0,
            has_unsent_pong: false,
            has_sent_close: false,
            read_state: ReadState::Open,
            socket_writer: None,
        }
    }

    /// Adds a handle that writes to the stream past this transport.
    pub(crate) fn with_socket_writer(mut self, writer: Option<Arc<dyn SocketWriter>>) -> WebSocketTransport<S> {
        self.socket_writer = writer;
        self
    }

    /// Returns what the client sends next. `None` at the end of the stream, and after a violation of the protocol.
    #[inline]
    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Decoded, CloseReason>>> {
        loop {
            match self.read_state {
                ReadState::Open => {}
                ReadState::Discarding => return self.poll_discard(cx).map(|()| None),
                ReadState::Ended => return Poll::Ready(None),
            }
            let received_bytes = self.input.len();
            let decoded = self.decoder.decode(&mut self.input);
            if self.input.len() < received_bytes {
                self.is_input_shared = !self.input.is_empty();
            }
            let missing = match decoded {
                Ok(Decoded::Incomplete(missing)) => missing,
                Ok(decoded) => return Poll::Ready(Some(Ok(decoded))),
                Err(reason) => {
                    self.read_state = ReadState::Discarding;
                    self.input = BytesMut::new();
                    return Poll::Ready(Some(Err(reason)));
                }
            };
            match self.poll_read(missing, cx) {
                Poll::Ready(0) => self.read_state = ReadState::Ended,
                Poll::Ready(_) => {}
                Poll::Pending => {
                    self.settle(cx);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Reads what has arrived and returns its length: 0 at the end of the stream, and if the stream is broken. `missing`
    /// is the number of bytes that the frame lacks.
    #[inline]
    fn poll_read(&mut self, missing: usize, cx: &mut Context<'_>) -> Poll<usize> {
        if missing > READ_BYTES {
            return self.poll_read_long(missing, cx);
        }
        let mut buffer = READ_BUFFER.take().unwrap_or_else(|| vec![0; READ_BYTES].into());
        let mut read_buf = ReadBuf::new(&mut buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut read_buf);
        let received = read_buf.filled();
        let length = received.len();
        if length > 0 && self.read_state == ReadState::Open {
            self.input.extend_from_slice(received);
        }
        READ_BUFFER.set(Some(buffer));
        polled.map(|outcome| if outcome.is_ok() { length } else { 0 })
    }

    /// Reads a part of a long frame into its own buffer. The buffer grows with what was received, never to the announced
    /// length at once.
    #[cold]
    fn poll_read_long(&mut self, missing: usize, cx: &mut Context<'_>) -> Poll<usize> {
        if self.input.capacity() == self.input.len() {
            self.input.reserve(missing.min(self.input.len().max(READ_BYTES)));
        }
        pin!(self.stream.read_buf(&mut self.input)).poll(cx).map(|outcome| outcome.unwrap_or(0))
    }

    /// Lets a partial frame keep only its own bytes, and sends pongs, while nothing arrives.
    fn settle(&mut self, cx: &mut Context<'_>) {
        if std::mem::take(&mut self.is_input_shared) {
            self.input = BytesMut::from(&self.input[..]);
        }
        if self.has_unsent_pong {
            // A broken stream is noticed when it is read.
            let _ = self.poll_flush(cx);
        }
    }

    /// Drops what arrives. Ready at the end of the stream.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while ready!(self.poll_read(0, cx)) > 0 {}
        self.read_state = ReadState::Ended;
        Poll::Ready(())
    }

    /// Converts a decoded frame. `None` ends the stream.
    #[inline]
    fn receive(&mut self, decoded: Decoded) -> Option<Incoming> {
        match decoded {
            Decoded::Text(text) => Some(Incoming::Text(FrameText(text))),
            Decoded::Binary(_) => Some(Incoming::Binary),
            Decoded::Ping(payload) => {
                self.answer_ping(&payload);
                Some(Incoming::Ping)
            }
            Decoded::Pong => Some(Incoming::Pong),
            Decoded::Close(code) => {
                self.read_state = ReadState::Ended;
                self.push_close(code, "");
                None
            }
            Decoded::Incomplete(_) => None,
        }
    }

    /// A client that does not read gets no pongs, so that they cannot pile up.
    #[cold]
    fn answer_ping(&mut self, payload: &Bytes) {
        if !self.has_sent_close && self.unsent_bytes() < MAX_UNSENT_BYTES {
            self.prepare_output();
            encode(PONG, payload, &mut self.output);
            self.has_unsent_pong = true;
        }
    }

    /// Sends a close frame, unless one was sent before.
    fn push_close(&mut self, code: Option<u16>, reason: &str) {
        if !std::mem::replace(&mut self.has_sent_close, true) {
            self.prepare_output();
            encode_close(code, reason, &mut self.output);
        }
    }

    #[inline]
    fn unsent_bytes(&self) -> usize {
        self.output.len() - self.sent_bytes
    }

    /// Makes room for a frame.
    #[inline]
    fn prepare_output(&mut self) {
        if self.output.capacity() == 0 {
            self.output = WRITE_BUFFER.take();
        } else if self.sent_bytes >= MAX_UNSENT_BYTES {
            self.output.drain(..self.sent_bytes);
            self.sent_bytes = 0;
        }
    }

    /// Returns the buffer to the thread.
    #[inline]
    fn release_output(&mut self) {
        let mut output = std::mem::take(&mut self.output);
        self.sent_bytes = 0;
        if output.capacity() <= MAX_UNSENT_BYTES {
            output.clear();
            WRITE_BUFFER.set(output);
        }
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.output.capacity() == 0 {
            return Poll::Ready(Ok(()));
        }
        while self.sent_bytes < self.output.len() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.output[self.sent_bytes..]);
            match ready!(written) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Gone)),
                Ok(written) => self.sent_bytes += written,
            }
        }
        self.release_output();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for WebSocketTransport<S> {
    type Item = Incoming;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let decoded = ready!(self.poll_decoded(cx));
        Poll::Ready(decoded.and_then(|decoded| match decoded {
            Ok(decoded) => self.receive(decoded),
            Err(reason) => Some(Incoming::Broken(reason)),
        }))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for WebSocketTransport<S> {
    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.unsent_bytes() < MAX_UNSENT_BYTES { Poll::Ready(Ok(())) } else { self.poll_write(cx) }
    }

    #[inline]
    fn start_send(&mut self, frame: Outgoing<'_>) -> Result<(), Gone> {
        if self.has_sent_close && !matches!(frame, Outgoing::Close(_)) {
            return Err(Gone);
        }
        self.prepare_output();
        match frame {
            Outgoing::Reply(text) => encode(TEXT, text.as_bytes(), &mut self.output),
            Outgoing::Event(frame) => self.output.extend_from_slice(frame.as_bytes()),
            Outgoing::Ping => encode(PING, &[], &mut self.output),
            Outgoing::Close(frame) => self.push_close(Some(frame.code), &frame.text),
        }
        Ok(())
    }

    #[inline]
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        ready!(self.poll_write(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx)).map_err(|_| Gone)?;
        self.has_unsent_pong = false;
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        ready!(self.poll_flush(cx))?;
        // A TCP stream is shut down by its last writer.
        self.socket_writer = None;
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(|_| Gone)
    }

    fn take_socket_writer(&mut self) -> Option<Arc<dyn SocketWriter>> {
        self.socket_writer.take()
    }

    #[inline]
    fn has_unsent(&self) -> bool {
        self.output.capacity() > 0 || self.has_unsent_pong
    }

    fn resume(&mut self, rest: Vec<u8>) {
        debug_assert!(self.output.is_empty(), "the flusher writes only if the transport has nothing to send");
        self.output = rest;
    }
}

#[cfg(test)]
pub(crate) mod echo;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
