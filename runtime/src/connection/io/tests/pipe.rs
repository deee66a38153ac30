//! A stream whose other end is the test.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sync::{Mutex, lock};
use crate::transport::SocketWriter;

/// The stream of a connection, and what its client has sent and received.
#[derive(Default)]
struct Wire {
    /// The number of bytes that it takes.
    room: usize,
    received: Vec<u8>,
    sent: VecDeque<u8>,
}

#[derive(Clone, Default)]
pub(super) struct Pipe(Arc<Mutex<Wire>>);

impl Pipe {
    pub(super) fn add_room(&self, bytes: usize) {
        lock(&self.0).room += bytes;
    }

    pub(super) fn received(&self) -> Vec<u8> {
        lock(&self.0).received.clone()
    }

    /// Sends a control frame with the mask 0 and without a payload.
    pub(super) fn send(&self, opcode: u8) {
        lock(&self.0).sent.extend([0x80 | opcode, 0x80, 0, 0, 0, 0]);
    }
}

impl SocketWriter for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut wire = lock(&self.0);
        let length = bytes.len().min(wire.room);
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        wire.room -= length;
        wire.received.extend_from_slice(&bytes[..length]);
        Ok(length)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut wire = lock(&self.0);
        let length = buffer.remaining().min(wire.sent.len());
        let bytes: Vec<_> = wire.sent.drain(..length).collect();
        buffer.put_slice(&bytes);
        if length == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.try_write(bytes).map_or(Poll::Pending, |length| Poll::Ready(Ok(length)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
