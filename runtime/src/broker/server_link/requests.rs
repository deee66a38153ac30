//! What the holder of a link asks for, until the task of the link does it.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use crate::broker::channel::CHANNEL_COUNT;
use crate::broker::event_log::Destination;
use crate::broker::event_log::MAX_LOGGED_BYTES;
use crate::broker::{Channel, MAX_MESSAGE_BYTES};
use crate::sync::ignore_poison;

/// The number of messages that may wait, and that of their bytes.
const MAX_MESSAGES: usize = 16_384;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The number of control messages that may wait, apart from the others and in front of them: a burst of events must not delay
/// changes of rights.
const MAX_CONTROL_MESSAGES: usize = 4096;
const MAX_CONTROL_BYTES: usize = 4 * 1024 * 1024;

const CONTROL: Destination = Destination::Channel(Channel::Control);

/// The bounds of one batch. A batch has at least one message.
const MAX_BATCH_MESSAGES: usize = 256;
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// The messages to publish and the subscriptions that are wanted, with one task that waits for them.
#[derive(Debug, Default)]
pub(super) struct LinkRequests {
    state: Mutex<State>,
    changed: Notify,
    /// The number of messages, without control messages, that a connection has sent or lost.
    settled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    control_messages: VecDeque<Bytes>,
    control_bytes: usize,
    messages: VecDeque<(Destination, Bytes)>,
    /// The bytes of all messages but control messages.
    bytes: usize,
    /// The number of messages so far, without control messages, and that of those that were taken to be sent.
    queued_count: u64,
    taken_count: u64,
    wanted: Subscriptions,
    /// Whether the link was dropped.
    is_closed: bool,
    /// The number of subscriptions so far.
    subscription_count: u64,
}

/// By the index of the channel: the number of its subscription. A channel that was unsubscribed and subscribed again has
/// another number, because its new subscription is confirmed again.
#[derive(Debug, Clone)]
pub(super) struct Subscriptions([Option<u64>; CHANNEL_COUNT]);

/// A difference between the subscriptions that are wanted and those that a connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum SubscriptionChange {
    Subscribe(Channel),
    Unsubscribe(Channel),
}

impl State {
    fn has_room(&self, destination: Destination, message: &Bytes) -> bool {
        let max_len = match destination {
            Destination::Channel(_) => MAX_MESSAGE_BYTES,
            Destination::Log(_) => MAX_LOGGED_BYTES,
        };
        if destination == CONTROL {
            return message.len() <= max_len
                && self.control_messages.len() < MAX_CONTROL_MESSAGES
                && self.control_bytes + message.len() <= MAX_CONTROL_BYTES;
        }
        message.len() <= max_len && self.messages.len() < MAX_MESSAGES && self.bytes + message.len() <= MAX_BYTES
    }
}

impl LinkRequests {
    /// Queues a message. Returns `false` if it is too large, or if too many wait.
    pub(super) fn publish(&self, destination: impl Into<Destination>, message: Bytes) -> bool {
        let destination = destination.into();
        {
            let mut state = ignore_poison(self.state.lock());
            if !state.has_room(destination, &message) {
                return false;
            }
            if destination == CONTROL {
                state.control_bytes += message.len();
                state.control_messages.push_back(message);
            } else {
                state.bytes += message.len();
                state.queued_count += 1;
                state.messages.push_back((destination, message));
            }
        }
        self.changed.notify_one();
        true
    }

    /// Ends the link once what waits is sent.
    pub(super) fn close(&self) {
        ignore_poison(self.state.lock()).is_closed = true;
        self.changed.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        ignore_poison(self.state.lock()).is_closed
    }

    pub(super) fn subscribe(&self, channel: Channel) {
        {
            let mut state = ignore_poison(self.state.lock());
            if state.wanted.has(channel) {
                return;
            }
            state.subscription_count += 1;
            state.wanted.0[channel.index()] = Some(state.subscription_count);
        }
        self.changed.notify_one();
    }

    pub(super) fn unsubscribe(&self, channel: Channel) {
        ignore_poison(self.state.lock()).wanted.0[channel.index()] = None;
        self.changed.notify_one();
    }

    /// Returns whether a subscription of the channel is wanted.
    pub(super) fn is_wanted(&self, channel: Channel) -> bool {
        ignore_poison(self.state.lock()).wanted.has(channel)
    }

    /// Returns how the wanted subscriptions differ from those of a connection, which are set to the wanted ones.
    pub(super) fn subscription_changes(&self, current: &mut Subscriptions) -> Vec<SubscriptionChange> {
        let state = ignore_poison(self.state.lock());
        let mut changes = Vec::new();
        for (index, (wanted, current)) in state.wanted.0.iter().zip(&mut current.0).enumerate() {
            if wanted == current {
                continue;
            }
            *current = *wanted;
            let Some(channel) = Channel::from_index(index) else { continue };
            changes.push(match wanted {
                Some(_) => SubscriptionChange::Subscribe(channel),
                None => SubscriptionChange::Unsubscribe(channel),
            });
        }
        changes
    }

    /// Takes the messages that are sent next, those of each destination in order.
    pub(super) fn take_batch(&self) -> Vec<(Destination, Bytes)> {
        let mut state = ignore_poison(self.state.lock());
        if !state.control_messages.is_empty() {
            let (count, bytes) = batch_of(state.control_messages.iter());
            state.control_bytes -= bytes;
            return state.control_messages.drain(..count).map(|message| (CONTROL, message)).collect();
        }
        let (count, bytes) = batch_of(state.messages.iter().map(|(_, message)| message));
        state.bytes -= bytes;
        state.taken_count += count as u64;
        state.messages.drain(..count).collect()
    }

    /// The messages that were taken have been sent, or are lost with their connection.
    pub(super) fn settle(&self) {
        let taken_count = ignore_poison(self.state.lock()).taken_count;
        self.settled.send_replace(taken_count);
    }

    /// Waits until the messages, without control messages, that are queued now have been sent or are lost.
    pub(super) fn settled(&self) -> impl Future<Output = ()> + use<> {
        let queued_count = ignore_poison(self.state.lock()).queued_count;
        let mut settled = self.settled.subscribe();
        async move {
            // The sender is dropped with the link, which makes no more requests.
            let _ = settled.wait_for(|settled_count| *settled_count >= queued_count).await;
        }
    }

    /// Puts control messages back of which it is not known whether they were sent.
    pub(super) fn put_back(&self, messages: Vec<Bytes>) {
        let mut state = ignore_poison(self.state.lock());
        for message in messages.into_iter().rev() {
            state.control_bytes += message.len();
            state.control_messages.push_front(message);
        }
    }

    /// Waits for a request since the last call. There is one caller at a time.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Returns the number of the first messages that make up a batch, and that of their bytes.
fn batch_of<'m>(messages: impl Iterator<Item = &'m Bytes>) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for message in messages.take(MAX_BATCH_MESSAGES) {
        if count > 0 && bytes + message.len() > MAX_BATCH_BYTES {
            break;
        }
        count += 1;
        bytes += message.len();
    }
    (count, bytes)
}

impl Subscriptions {
    pub(super) fn has(&self, channel: Channel) -> bool {
        self.0[channel.index()].is_some()
    }
}

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions([None; CHANNEL_COUNT])
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::SubscriptionChange::{Subscribe, Unsubscribe};
    use super::*;

    fn channel(index: usize) -> Channel {
        Channel::from_index(index).unwrap()
    }

    #[test]
    fn publish_beyond_the_bounds_is_refused() {
        let requests = LinkRequests::default();
        for _ in 0..MAX_MESSAGES {
            assert!(requests.publish(channel(0), Bytes::new()));
        }
        assert!(!requests.publish(channel(0), Bytes::new()));
        assert_eq!(requests.take_batch().len(), MAX_BATCH_MESSAGES);
        assert!(requests.publish(channel(0), Bytes::new()));

        let requests = LinkRequests::default();
        let large = Bytes::from(vec![0; MAX_MESSAGE_BYTES]);
        for _ in 0..MAX_BYTES / MAX_MESSAGE_BYTES {
            assert!(requests.publish(channel(0), large.clone()));
        }
        assert!(!requests.publish(channel(0), Bytes::from_static(b"1")));
        assert_eq!(requests.take_batch(), [(channel(0).into(), large)]);
        assert!(requests.publish(channel(0), Bytes::from_static(b"1")));
    }

    #[test]
    fn control_messages_pass_events_and_have_a_bound_of_their_own() {
        let requests = LinkRequests::default();
        while requests.publish(channel(0), Bytes::from_static(b"event")) {}
        for number in 0..MAX_CONTROL_MESSAGES {
            assert!(requests.publish(Channel::Control, Bytes::from(number.to_be_bytes().to_vec())));
        }
        assert!(!requests.publish(Channel::Control, Bytes::new()));
        let mut taken = Vec::new();
        while taken.len() < MAX_CONTROL_MESSAGES {
            taken.extend(requests.take_batch());
        }
        let expected = |(number, (destination, message)): (usize, &(Destination, Bytes))| {
            *destination == CONTROL && message[..] == number.to_be_bytes()
        };
        assert!(taken.iter().enumerate().all(expected));
        assert_eq!(requests.take_batch()[0], (channel(0).into(), Bytes::from_static(b"event")));
    }

    #[test]
    fn message_that_is_too_large_is_refused() {
        let requests = LinkRequests::default();
        assert!(!requests.publish(Channel::Control, Bytes::from(vec![0; MAX_MESSAGE_BYTES + 1])));
        assert!(requests.take_batch().is_empty());
    }

    #[test]
    fn batches_keep_the_order() {
        let requests = LinkRequests::default();
        for number in 0..1000_u32 {
            assert!(requests.publish(channel(number as usize % 3), Bytes::from(number.to_be_bytes().repeat(1000))));
        }
        let mut expected = 0..1000_u32;
        loop {
            let batch = requests.take_batch();
            assert!(batch.len() <= MAX_BATCH_BYTES / 4000);
            if batch.is_empty() {
                break;
            }
            for (_, message) in batch {
                assert_eq!(message[..4], expected.next().unwrap().to_be_bytes());
            }
        }
        assert_eq!(expected.len(), 0);
    }

    #[test]
    fn subscription_changes_are_differences_to_a_connection() {
        let requests = LinkRequests::default();
        let mut current = Subscriptions::default();
        requests.subscribe(channel(3));
        requests.subscribe(channel(3));
        requests.subscribe(channel(5));
        assert_eq!(requests.subscription_changes(&mut current), [Subscribe(channel(3)), Subscribe(channel(5))]);
        assert_eq!(requests.subscription_changes(&mut current), []);
        requests.unsubscribe(channel(3));
        requests.unsubscribe(channel(5));
        requests.subscribe(channel(5));
        assert_eq!(requests.subscription_changes(&mut current), [Unsubscribe(channel(3)), Subscribe(channel(5))]);
        assert!(requests.is_wanted(channel(5)) && !requests.is_wanted(channel(3)));
        assert!(current.has(channel(5)) && !current.has(channel(3)));
        // A new connection.
        assert_eq!(requests.subscription_changes(&mut Subscriptions::default()), [Subscribe(channel(5))]);
    }

    #[test]
    fn messages_are_settled_once_their_batch_is() {
        let requests = LinkRequests::default();
        assert!(requests.settled().now_or_never().is_some());
        let large = Bytes::from(vec![0; MAX_BATCH_BYTES]);
        let [mut first, mut second] = [(); 2].map(|()| {
            assert!(requests.publish(channel(0), large.clone()));
            Box::pin(requests.settled())
        });
        // A control message is sent before them.
        assert!(requests.publish(Channel::Control, Bytes::new()));
        for is_settled in [[false; 2], [true, false], [true; 2]] {
            assert_eq!(requests.take_batch().len(), 1);
            if !is_settled[1] {
                assert!(second.as_mut().now_or_never().is_none());
            }
            requests.settle();
            if !is_settled[0] {
                assert!(first.as_mut().now_or_never().is_none());
            }
            assert_eq!(requests.settled().now_or_never().is_some(), is_settled[1]);
        }
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
    }

    #[test]
    fn change_before_waiting_is_not_missed() {
        let requests = LinkRequests::default();
        assert!(requests.changed().now_or_never().is_none());
        requests.subscribe(Channel::Control);
        assert!(requests.changed().now_or_never().is_some());
    }
}
