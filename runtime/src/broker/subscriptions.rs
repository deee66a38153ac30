//! The channels that a machine is subscribed to: the control channel, and partitions with groups or users here.

use std::time::Duration;

use tokio::time::Instant;

use super::channel::{CHANNEL_COUNT, Channel, Partition, PartitionSet};

/// How long a channel that nothing holds stays subscribed, so that a group which comes and goes causes no traffic.
const LINGER: Duration = Duration::from_secs(30);

/// The subscriptions by the indexes of their channels.
pub(super) struct Subscriptions {
    channels: Vec<Subscription>,
    /// The partitions of which messages may have been lost while they were not subscribed. Reported when all channels are
    /// confirmed again.
    gap: PartitionSet,
}

#[derive(Clone, Copy, Default)]
struct Subscription {
    /// The number of what needs it.
    holds: usize,
    /// Since when nothing does, while it is still subscribed.
    idle_since: Option<Instant>,
    is_wanted: bool,
    is_confirmed: bool,
}

impl Subscriptions {
    pub(super) fn new() -> Subscriptions {
        Subscriptions { channels: vec![Subscription::default(); CHANNEL_COUNT], gap: PartitionSet::default() }
    }

    /// Holds a channel. Returns whether it has to be subscribed.
    pub(super) fn hold(&mut self, channel: Channel) -> bool {
        let subscription = &mut self.channels[channel.index()];
        subscription.holds += 1;
        subscription.idle_since = None;
        !std::mem::replace(&mut subscription.is_wanted, true)
    }

    /// Reverts [`hold`](Subscriptions::hold).
    pub(super) fn release(&mut self, channel: Channel, now: Instant) {
        let subscription = &mut self.channels[channel.index()];
        subscription.holds = subscription.holds.saturating_sub(1);
        if subscription.holds == 0 {
            subscription.idle_since = Some(now);
        }
    }

    /// Returns the channels that nothing has held for a while, which are to be unsubscribed, and the partitions of the gap that
    /// this ends: no channel may be left that is not confirmed.
    pub(super) fn take_idle(&mut self, now: Instant) -> (Vec<Channel>, PartitionSet) {
        let mut idle = Vec::new();
        for (index, subscription) in self.channels.iter_mut().enumerate() {
            if subscription.idle_since.is_some_and(|since| now.duration_since(since) >= LINGER) {
                *subscription = Subscription::default();
                idle.extend(Channel::from_index(index));
            }
        }
        for partition in idle.iter().filter_map(|channel| channel.partition()) {
            let channels = [Channel::Partition(partition), Channel::History(partition)];
            if channels.iter().all(|channel| !self.channels[channel.index()].is_wanted) {
                self.gap.remove(partition);
            }
        }
        let gap = if idle.is_empty() { PartitionSet::default() } else { self.take_gap() };
        (idle, gap)
    }

    /// Returns the partitions of the gap, once all channels are confirmed.
    fn take_gap(&mut self) -> PartitionSet {
        let is_complete = self.channels.iter().all(|subscription| subscription.is_confirmed || !subscription.is_wanted);
        if is_complete { std::mem::take(&mut self.gap) } else { PartitionSet::default() }
    }

    /// Records that the broker has confirmed a channel. Returns the partitions of the gap that this ends, once.
    pub(super) fn confirm(&mut self, channel: Channel) -> PartitionSet {
        let subscription = &mut self.channels[channel.index()];
        subscription.is_confirmed = subscription.is_wanted;
        self.take_gap()
    }

    /// Records that no channel is subscribed any more.
    pub(super) fn lose(&mut self) {
        self.channels.iter_mut().for_each(|subscription| subscription.is_confirmed = false);
        for (index, _) in self.channels.iter().enumerate().filter(|(_, subscription)| subscription.is_wanted) {
            // What is lost on the control channel is no event.
            if let Some(partition) = Channel::from_index(index).and_then(Channel::partition) {
                self.gap.insert(partition);
            }
        }
    }

    /// Records that something uses a partition which is not confirmed.
    pub(super) fn record_gap(&mut self, partition: Partition) {
        self.gap.insert(partition);
    }

    pub(super) fn is_confirmed(&self, index: usize) -> bool {
        self.channels[index].is_confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(index: usize) -> Channel {
        Channel::from_index(index).unwrap()
    }

    #[test]
    fn channel_is_subscribed_with_the_first_hold_and_unsubscribed_after_a_while() {
        let (mut subscriptions, now) = (Subscriptions::new(), Instant::now());
        assert!(subscriptions.hold(channel(5)));
        assert!(!subscriptions.hold(channel(5)));
        subscriptions.release(channel(5), now);
        assert_eq!(subscriptions.take_idle(now + LINGER).0, []);
        subscriptions.release(channel(5), now);
        assert!(!subscriptions.hold(channel(5)), "it is still subscribed");
        subscriptions.release(channel(5), now + LINGER);
        assert_eq!(subscriptions.take_idle(now + LINGER).0, []);
        assert_eq!(subscriptions.take_idle(now + 2 * LINGER).0, [channel(5)]);
        assert!(subscriptions.hold(channel(5)));
    }

    #[test]
    fn gap_ends_when_the_last_channel_without_a_confirmation_is_given_up() {
        let (mut subscriptions, now) = (Subscriptions::new(), Instant::now());
        for index in [3, 5] {
            assert!(subscriptions.hold(channel(index)));
        }
        subscriptions.lose();
        subscriptions.release(channel(5), now);
        assert!(subscriptions.confirm(channel(3)).is_empty());
        let (idle, gap) = subscriptions.take_idle(now + LINGER);
        assert_eq!(idle, [channel(5)]);
        let is_lost = |index| channel(index).partition().is_some_and(|partition| gap.contains(partition));
        assert!(is_lost(3) && !is_lost(5), "nothing here receives the events of the other");
    }

    #[test]
    fn loss_is_one_gap_when_all_channels_are_confirmed_again() {
        let mut subscriptions = Subscriptions::new();
        for index in [3, 5] {
            assert!(subscriptions.hold(channel(index)));
        }
        assert!(subscriptions.confirm(channel(3)).is_empty() && subscriptions.confirm(channel(5)).is_empty());
        subscriptions.lose();
        subscriptions.lose();
        assert!(!subscriptions.is_confirmed(3));
        assert!(subscriptions.confirm(channel(5)).is_empty());
        let gap = subscriptions.confirm(channel(3));
        let is_lost = |index| channel(index).partition().is_some_and(|partition| gap.contains(partition));
        assert_eq!((0..128).filter(|index| is_lost(*index)).collect::<Vec<_>>(), [3, 5]);
        assert!(subscriptions.confirm(channel(3)).is_empty());
    }
}
