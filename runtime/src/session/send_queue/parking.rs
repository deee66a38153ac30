//! Delivery of events past the task of their connection.
//!
//! Waking one task per member is most of what the delivery of an event costs besides the system call. So the task of a
//! connection that has nothing to do parks: until it is woken for another reason, the flusher writes the events to its
//! socket, for many connections in one go.
//!
//! The flusher writes under the lock of the queue's state and without waiting, so a change of rights recalls every event of
//! which no byte was written, as it does if the task delivers. The task parks only if all frames before are sent, and it
//! writes nothing until it has unparked, so there is one writer at any time. If the socket does not take all bytes, the
//! task gets the rest of the frame that was begun, with its time limits; the other events stay queued.

use std::sync::Arc;
use std::task::{Context, Poll};

use smallvec::SmallVec;
use tokio::time::Instant;

use super::{Coalesce, SendQueue};
use crate::session::backpressure::PausedPublishers;
use crate::session::queue_state::{PARKED, ParkedSocket, QUEUED, QueueState, TASK};
use crate::sync::atomic::Ordering;
use crate::transport::{ConnectionEnd, SocketWriter};

/// The number of bytes from which the flusher takes no further event for one write.
const MAX_BYTES_PER_WRITE: usize = 64 * 1024;

/// What the flusher has done with the events of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// All events are sent, or the task of the connection delivers them.
    Done,
    /// Further events are queued, and the task is still parked.
    HasMore,
}

impl<N: Coalesce> SendQueue<N> {
    /// Lets the flusher write to the socket of the connection while its task is parked.
    pub(crate) fn attach_socket(&self, writer: Arc<dyn SocketWriter>) {
        let mut state = self.lock_state();
        if !state.is_closed() {
            state.socket = Some(Box::new(ParkedSocket { writer, unsent: Vec::new(), expiry: None }));
        }
    }

    /// Sets when the connection closes. The task must not be parked.
    pub(crate) fn set_expiry(&self, expiry: Option<Instant>) {
        if let Some(socket) = &mut self.lock_state().socket {
            socket.expiry = expiry;
        }
    }

    /// Parks the task: from now on the flusher delivers, until [`unpark`](Self::unpark). All frames before must be sent, and
    /// the connection must have a socket. Ready if an event is queued already or the connection is to end. Supports a single
    /// reader.
    pub(crate) fn poll_parked(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionEnd>> {
        self.reader.register(cx.waker());
        // Its socket has taken all frames.
        self.unstall();
        self.deliverer.store(PARKED, Ordering::SeqCst);
        // Read after the store: an event that is enqueued before the store is not passed to the flusher.
        if !self.has_work.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        match self.deliverer.compare_exchange(PARKED, TASK, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Poll::Ready(self.check_open()),
            // The flusher has the session already.
            Err(_) => Poll::Pending,
        }
    }

    /// Ends the parking: from now on the task delivers. Returns the bytes that it has to send before anything else.
    #[inline]
    pub(crate) fn unpark(&self) -> Vec<u8> {
        match self.deliverer.compare_exchange(PARKED, TASK, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Vec::new(),
            Err(_) => self.unpark_queued(),
        }
    }

    /// Unparks while the flusher has the session, or after it has returned the session to the task.
    #[cold]
    fn unpark_queued(&self) -> Vec<u8> {
        // The flusher writes under this lock.
        let mut state = self.lock_state();
        self.deliverer.store(TASK, Ordering::SeqCst);
        state.socket.as_mut().map(|socket| std::mem::take(&mut socket.unsent)).unwrap_or_default()
    }

    /// Returns whether the session has to be passed to the flusher, because its task is parked and the flusher does not have
    /// it yet. Called under the lock of the state, for the first event.
    #[inline]
    pub(super) fn queue_for_flusher(&self) -> bool {
        self.deliverer.compare_exchange(PARKED, QUEUED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Lets the task of the connection deliver, whether it is parked or not.
    pub(crate) fn wake_task(&self) {
        let state = self.lock_state();
        self.deliverer.store(TASK, Ordering::SeqCst);
        drop(state);
        self.reader.wake();
    }

    /// Writes queued events to the socket, with one write and without waiting, if the task is parked. `buffer` is used if
    /// there are several.
    pub(crate) fn flush_parked(&self, buffer: &mut Vec<u8>) -> Flushed {
        let mut state = self.lock_state();
        // If the task has unparked, it delivers the events before it parks again.
        if self.deliverer.load(Ordering::SeqCst) != QUEUED {
            return Flushed::Done;
        }
        let written = match &state.socket {
            Some(socket) if !state.is_closed() && socket.expiry.is_none_or(|expiry| Instant::now() < expiry) => {
                write_events(&state, socket, buffer)
            }
            _ => Written::default(),
        };
        let sent = take_written(&mut state, &written);
        let has_more = !state.events.is_empty();
        let flushed = if !written.is_complete {
            // To the task, which has time limits, and closes the connection if it is to end.
            self.deliverer.store(TASK, Ordering::SeqCst);
            Flushed::Done
        } else if has_more {
            Flushed::HasMore
        } else {
            self.has_work.store(false, Ordering::SeqCst);
            self.deliverer.store(PARKED, Ordering::SeqCst);
            Flushed::Done
        };
        let has_caught_up = !state.paused_publishers.is_empty() && !self.is_crowded(&state);
        let paused_publishers =
            if has_caught_up { std::mem::take(&mut state.paused_publishers) } else { PausedPublishers::default() };
        drop(state);
        self.telemetry.record_deliveries(sent.len());
        if !written.is_complete {
            self.reader.wake();
        }
        // Not under the lock: dropping a hold wakes a connection, and dropping an event may run the application's code.
        drop((paused_publishers, sent));
        flushed
    }
}

/// What the socket has taken.
#[derive(Default)]
struct Written {
    bytes: usize,
    /// Whether the socket has taken all bytes of the write.
    is_complete: bool,
}

/// Writes events from the front of the queue. An error counts as no byte: the task finds it itself.
fn write_events<N>(state: &QueueState<N>, socket: &ParkedSocket, buffer: &mut Vec<u8>) -> Written {
    let bytes = match state.events.front() {
        None => return Written { bytes: 0, is_complete: true },
        Some(first) if state.events.len() == 1 || first.frame.as_bytes().len() >= MAX_BYTES_PER_WRITE => {
            first.frame.as_bytes()
        }
        Some(_) => {
            buffer.clear();
            for entry in &state.events {
                let frame = entry.frame.as_bytes();
                if buffer.len() + frame.len() > MAX_BYTES_PER_WRITE {
                    break;
                }
                buffer.extend_from_slice(frame);
            }
            &buffer[..]
        }
    };
    let written = socket.writer.try_write(bytes).unwrap_or(0);
    Written { bytes: written, is_complete: written == bytes.len() }
}

/// Removes and returns the events of which bytes were written. Keeps the rest of one that was written in part.
fn take_written<N: Coalesce>(state: &mut QueueState<N>, written: &Written) -> SmallVec<[super::QueueEntry<N>; 4]> {
    let (mut sent, mut remaining) = (SmallVec::new(), written.bytes);
    while remaining > 0
        && let Some(entry) = state.pop()
    {
        let frame = entry.frame.as_bytes();
        if let Some(socket) = state.socket.as_mut().filter(|_| remaining < frame.len()) {
            socket.unsent.extend_from_slice(&frame[remaining..]);
        }
        remaining = remaining.saturating_sub(frame.len());
        sent.push(entry);
    }
    sent
}

#[cfg(test)]
mod tests;
