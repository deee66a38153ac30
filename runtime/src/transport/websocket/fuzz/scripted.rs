//! A stream that does what the input of a fuzz target says.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::READ_BYTES;

/// The maximum number of bytes that one call reads or writes.
const SPLITS: [usize; 8] = [1, 2, 3, 7, 100, 4096, READ_BYTES, usize::MAX];
/// The fraction of what is left that every call reads or writes, so that long inputs do not take long.
const MAX_SPLITS: usize = 256;

/// What follows the bytes of the client.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Closed,
    Broken,
    Silent,
}

/// A stream that reads and writes in the splits of the input, and waits between them.
pub(super) struct Scripted {
    pub(super) received: Vec<u8>,
    pub(super) read_bytes: usize,
    pub(super) end: End,
    pub(super) sent: Vec<u8>,
    pub(super) schedule: VecDeque<u8>,
    /// Whether the last read, write and flush was pending; the next one is not.
    pub(super) has_waited: [bool; 3],
    pub(super) calls: usize,
    /// The number of writes after which every write fails.
    pub(super) max_writes: usize,
    pub(super) pending_reads: usize,
}

impl Scripted {
    /// The split of the next call. `None` lets the call wait: the task is woken at once.
    fn next_split(&mut self, direction: usize, cx: &Context<'_>) -> Option<usize> {
        self.calls += 1;
        let step = self.schedule.pop_front().unwrap_or(7);
        self.schedule.push_back(step);
        let has_waited = &mut self.has_waited[direction];
        *has_waited = step >= 0x80 && !*has_waited;
        if *has_waited {
            cx.waker().wake_by_ref();
            return None;
        }
        Some(SPLITS[usize::from(step) % SPLITS.len()])
    }

    /// Returns whether the stream waits for the client for ever.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.end, End::Silent) && self.read_bytes == self.received.len()
    }

    fn check_write(&mut self) -> io::Result<()> {
        if self.max_writes == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.max_writes -= 1;
        Ok(())
    }
}

impl AsyncRead for Scripted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let rest = self.received.len() - self.read_bytes;
        let Some(split) = self.next_split(0, cx) else {
            self.pending_reads += 1;
            return Poll::Pending;
        };
        if rest > 0 {
            let length = split.max(rest / MAX_SPLITS).min(rest).min(buffer.remaining());
            assert!(length > 0, "read without room would look like the end");
            buffer.put_slice(&self.received[self.read_bytes..][..length]);
            self.read_bytes += length;
            return Poll::Ready(Ok(()));
        }
        match self.end {
            End::Closed => Poll::Ready(Ok(())),
            End::Broken => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            End::Silent => {
                self.pending_reads += 1;
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(!bytes.is_empty(), "nothing to write");
        let Some(split) = self.next_split(1, cx) else { return Poll::Pending };
        self.check_write()?;
        let length = split.max(bytes.len() / MAX_SPLITS).min(bytes.len());
        self.sent.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.next_split(2, cx).is_none() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
