//! What a link has received, in a bounded queue in front of its receiver.
//!
//! A client library calls back in the task that reads its socket. Delivering an event to ten thousand sessions there would
//! delay its heartbeat, and a queue without bound would grow with a burst.

use std::array::from_fn;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, coop};

use super::channel::CHANNEL_COUNT;
use super::{Channel, LinkReceiver, MAX_MESSAGE_BYTES};
use crate::panic::{catch_unwind, log_entry};

/// The number of messages that may wait, and that of their bytes.
const MAX_MESSAGES: usize = 16_384;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The number of control messages that may wait, apart from the others: events in a burst must not displace changes of
/// rights.
const MAX_CONTROL_MESSAGES: usize = 4096;
const MAX_CONTROL_BYTES: usize = 4 * 1024 * 1024;

/// What a link reports to its receiver.
#[derive(Debug)]
pub(super) enum Received {
    Message(Channel, Bytes),
    Subscribed(Channel),
    Overflowed(Channel),
    #[cfg_attr(
        not(any(feature = "nats", feature = "redis", feature = "testing", test)),
        expect(dead_code, reason = "a link within the process is never lost")
    )]
    Lost,
}

/// The queue, and the task that passes its entries to the receiver. The task ends when the inbox is dropped.
pub(super) struct Inbox {
    sender: UnboundedSender<Received>,
    waiting: Arc<Waiting>,
    task: JoinHandle<()>,
}

/// What waits.
struct Waiting {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    control_messages: AtomicUsize,
    control_bytes: AtomicUsize,
    /// By the index of the channel: whether an `Overflowed` entry is queued, so that a burst adds one.
    overflowed: [AtomicBool; CHANNEL_COUNT],
}

impl Waiting {
    fn has_room(&self, channel: Channel, message: &Bytes) -> bool {
        if message.len() > MAX_MESSAGE_BYTES {
            return false;
        }
        if channel == Channel::Control {
            return self.control_messages.load(Ordering::Relaxed) < MAX_CONTROL_MESSAGES
                && self.control_bytes.load(Ordering::Relaxed) + message.len() <= MAX_CONTROL_BYTES;
        }
        self.messages.load(Ordering::Relaxed) < MAX_MESSAGES
            && self.bytes.load(Ordering::Relaxed) + message.len() <= MAX_BYTES
    }

    fn add(&self, channel: Channel, message: &Bytes) {
        if channel == Channel::Control {
            self.control_messages.fetch_add(1, Ordering::Relaxed);
            self.control_bytes.fetch_add(message.len(), Ordering::Relaxed);
        } else {
            self.messages.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(message.len(), Ordering::Relaxed);
        }
    }

    fn remove(&self, channel: Channel, message: &Bytes) {
        if channel == Channel::Control {
            self.control_messages.fetch_sub(1, Ordering::Relaxed);
            self.control_bytes.fetch_sub(message.len(), Ordering::Relaxed);
        } else {
            self.messages.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(message.len(), Ordering::Relaxed);
        }
    }
}

impl Inbox {
    /// Creates an inbox.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(super) fn new(receiver: Arc<dyn LinkReceiver>) -> Inbox {
        let (sender, queue) = unbounded_channel();
        let overflowed = from_fn(|_| AtomicBool::new(false));
        let [messages, bytes, control_messages, control_bytes] = from_fn(|_| AtomicUsize::new(0));
        let waiting = Arc::new(Waiting { messages, bytes, control_messages, control_bytes, overflowed });
        let task = tokio::spawn(deliver(queue, receiver, waiting.clone()));
        Inbox { sender, waiting, task }
    }

    /// Adds an entry. A message that has no room is dropped, which the receiver is told once in its place.
    pub(super) fn push(&self, received: Received) {
        let overflowed = &self.waiting.overflowed;
        let entry = match received {
            Received::Message(channel, message) if !self.waiting.has_room(channel, &message) => {
                Received::Overflowed(channel)
            }
            entry => entry,
        };
        if let Received::Overflowed(channel) = entry
            && overflowed[channel.index()].swap(true, Ordering::Relaxed)
        {
            return;
        }
        if let Received::Message(channel, message) = &entry {
            self.waiting.add(*channel, message);
        }
        // The task ends with its runtime only.
        let _ = self.sender.send(entry);
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("messages", &self.waiting.messages).finish_non_exhaustive()
    }
}

async fn deliver(mut queue: UnboundedReceiver<Received>, receiver: Arc<dyn LinkReceiver>, waiting: Arc<Waiting>) {
    while let Some(received) = queue.recv().await {
        match &received {
            Received::Message(channel, message) => waiting.remove(*channel, message),
            Received::Overflowed(channel) => waiting.overflowed[channel.index()].store(false, Ordering::Relaxed),
            Received::Subscribed(_) | Received::Lost => {}
        }
        let pass = || match received {
            Received::Message(channel, message) => receiver.receive(channel, message),
            Received::Subscribed(channel) => receiver.subscribed(channel),
            Received::Overflowed(channel) => receiver.overflowed(channel),
            Received::Lost => receiver.lost(),
        };
        // The application's decoding and permissions run in here.
        if let Err(panic) = catch_unwind(pass) {
            log_entry!(ERROR, panic = panic.message(), "message of the broker dropped: its delivery panicked");
        }
        coop::consume_budget().await;
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::tests::channel;
    use crate::broker::tests::recorder::{Report, recorder};

    #[tokio::test]
    async fn events_do_not_displace_control_messages() {
        let (receiver, mut reports) = recorder();
        let inbox = Inbox::new(receiver);
        for _ in 0..=MAX_MESSAGES {
            inbox.push(Received::Message(channel(0), Bytes::new()));
        }
        for _ in 0..=MAX_CONTROL_MESSAGES {
            inbox.push(Received::Message(Channel::Control, Bytes::new()));
        }
        for _ in 0..MAX_MESSAGES {
            assert_eq!(reports.message().await.0, channel(0));
        }
        assert_eq!(reports.next().await, Report::Overflowed(channel(0)));
        for _ in 0..MAX_CONTROL_MESSAGES {
            assert_eq!(reports.message().await.0, Channel::Control);
        }
        assert_eq!(reports.next().await, Report::Overflowed(Channel::Control));
    }

    #[tokio::test]
    async fn message_without_room_is_reported_once_in_its_place() {
        let (receiver, mut reports) = recorder();
        let inbox = Inbox::new(receiver);
        for _ in 0..2 {
            for value in 0..MAX_MESSAGES + 10 {
                inbox.push(Received::Message(channel(0), Bytes::from(value.to_string())));
            }
            inbox.push(Received::Overflowed(channel(0)));
            inbox.push(Received::Lost);
            for value in 0..MAX_MESSAGES {
                assert_eq!(reports.message().await, (channel(0), Bytes::from(value.to_string())));
            }
            assert_eq!(reports.next().await, Report::Overflowed(channel(0)));
            assert_eq!(reports.next().await, Report::Lost);
        }
        assert_eq!(reports.try_next(), None);
    }

    #[tokio::test]
    async fn bytes_that_wait_are_bounded() {
        let (receiver, mut reports) = recorder();
        let inbox = Inbox::new(receiver);
        let large = Bytes::from(vec![0; MAX_MESSAGE_BYTES]);
        let count = MAX_BYTES / MAX_MESSAGE_BYTES;
        for _ in 0..count {
            inbox.push(Received::Message(channel(0), large.clone()));
        }
        inbox.push(Received::Message(channel(0), Bytes::from_static(b"more")));
        for _ in 0..count {
            assert_eq!(reports.message().await.1.len(), large.len());
        }
        assert_eq!(reports.next().await, Report::Overflowed(channel(0)));
        inbox.push(Received::Message(channel(0), large.clone()));
        assert_eq!(reports.message().await.1.len(), large.len());
        inbox.push(Received::Message(channel(0), Bytes::from(vec![0; MAX_MESSAGE_BYTES + 1])));
        assert_eq!(reports.next().await, Report::Overflowed(channel(0)));
    }
}
