//! What one connection to the server of a broker reports to the receiver of its link.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::requests::{LinkRequests, SubscriptionChange, Subscriptions};
use crate::broker::Channel;
use crate::broker::channel::CHANNEL_COUNT;
use crate::broker::event_log::Destination;
use crate::broker::inbox::{Inbox, Received};
use crate::sync::ignore_poison;

/// Passes what a connection receives to the inbox of its link, until the connection is lost. What an old connection still
/// receives while the next one is opened is discarded.
pub(in crate::broker) struct Reports {
    inbox: Arc<Inbox>,
    requests: Arc<LinkRequests>,
    /// Held while an entry is added to the inbox, so that no entry follows the loss. Locked before that of `requests`.
    state: Mutex<State>,
    lost: CancellationToken,
}

struct State {
    /// Why the connection is lost.
    cause: Option<String>,
    /// Whether the receiver relies on the connection: a subscription was confirmed, or a message was sent.
    is_used: bool,
    /// What the commands that were sent lead to.
    subscriptions: Subscriptions,
    /// By the index of the channel: the subscriptions that were sent and not confirmed. Only the confirmation of the last
    /// one counts: an earlier one is followed by the end of that subscription.
    unconfirmed: [u32; CHANNEL_COUNT],
    /// By the index of the channel: whether its messages are received.
    is_confirmed: [bool; CHANNEL_COUNT],
}

impl Reports {
    pub(super) fn new(inbox: Arc<Inbox>, requests: Arc<LinkRequests>) -> Reports {
        let state = State {
            cause: None,
            is_used: false,
            subscriptions: Subscriptions::default(),
            unconfirmed: [0; CHANNEL_COUNT],
            is_confirmed: [false; CHANNEL_COUNT],
        };
        Reports { inbox, requests, state: Mutex::new(state), lost: CancellationToken::new() }
    }

    /// Receives a message. It is discarded unless the subscription of its channel is confirmed.
    pub(in crate::broker) fn receive(&self, channel: Channel, message: Bytes) {
        let state = ignore_poison(self.state.lock());
        if state.cause.is_none() && state.is_confirmed[channel.index()] {
            self.inbox.push(Received::Message(channel, message));
        }
    }

    /// Receives the confirmation of a subscription. There is one per [`SubscriptionChange::Subscribe`], in their order.
    pub(in crate::broker) fn confirm(&self, channel: Channel) {
        let mut state = ignore_poison(self.state.lock());
        let unconfirmed = &mut state.unconfirmed[channel.index()];
        *unconfirmed = unconfirmed.saturating_sub(1);
        if *unconfirmed > 0 || state.cause.is_some() || !state.subscriptions.has(channel) {
            return;
        }
        state.is_confirmed[channel.index()] = true;
        if self.requests.is_wanted(channel) {
            state.is_used = true;
            self.inbox.push(Received::Subscribed(channel));
        }
    }

    /// Messages of a channel have been lost, although the connection is not.
    pub(in crate::broker) fn overflow(&self, channel: Channel) {
        let state = ignore_poison(self.state.lock());
        if state.cause.is_none() && state.is_confirmed[channel.index()] {
            self.inbox.push(Received::Overflowed(channel));
        }
    }

    /// Messages of any channel may have been lost, although the connection is not.
    #[cfg(feature = "nats")]
    pub(in crate::broker) fn overflow_all(&self) {
        (0..CHANNEL_COUNT).filter_map(Channel::from_index).for_each(|channel| self.overflow(channel));
    }

    /// The connection is lost. Does nothing if that was known.
    pub(in crate::broker) fn lose(&self, cause: impl Into<String>) {
        {
            let mut state = ignore_poison(self.state.lock());
            if state.cause.is_some() {
                return;
            }
            state.cause = Some(cause.into());
            if state.is_used {
                self.inbox.push(Received::Lost);
            }
        }
        self.lost.cancel();
    }

    /// Completes when the connection is lost, and returns why.
    pub(super) async fn lost(&self) -> String {
        self.lost.cancelled().await;
        ignore_poison(self.state.lock()).cause.clone().unwrap_or_default()
    }

    /// Returns the changes of subscriptions that are to be sent now.
    pub(super) fn start_subscription_changes(&self) -> Vec<SubscriptionChange> {
        let mut state = ignore_poison(self.state.lock());
        let changes = self.requests.subscription_changes(&mut state.subscriptions);
        for change in &changes {
            match change {
                SubscriptionChange::Subscribe(channel) => state.unconfirmed[channel.index()] += 1,
                SubscriptionChange::Unsubscribe(channel) => state.is_confirmed[channel.index()] = false,
            }
        }
        changes
    }

    /// Takes the messages that are to be sent now. None if the connection is lost: what is published after the loss was
    /// reported is sent by the next connection.
    pub(super) fn start_publishing(&self) -> Vec<(Destination, Bytes)> {
        let mut state = ignore_poison(self.state.lock());
        if state.cause.is_some() {
            return Vec::new();
        }
        let messages = self.requests.take_batch();
        state.is_used |= !messages.is_empty();
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::tests::recorder::{Report, recorder};

    #[tokio::test]
    async fn only_the_last_confirmation_of_a_channel_counts() {
        let (receiver, mut reported) = recorder();
        let requests = Arc::new(LinkRequests::default());
        let reports = Reports::new(Arc::new(Inbox::new(receiver)), requests.clone());

        requests.subscribe(Channel::Control);
        assert_eq!(reports.start_subscription_changes().len(), 1);
        requests.unsubscribe(Channel::Control);
        assert_eq!(reports.start_subscription_changes().len(), 1);
        requests.subscribe(Channel::Control);
        assert_eq!(reports.start_subscription_changes().len(), 1);
        reports.confirm(Channel::Control);
        reports.receive(Channel::Control, Bytes::from_static(b"before"));
        reports.confirm(Channel::Control);
        reports.receive(Channel::Control, Bytes::from_static(b"after"));
        assert_eq!(reported.next().await, Report::Subscribed(Channel::Control));
        assert_eq!(reported.message().await, (Channel::Control, Bytes::from_static(b"after")));
    }

    #[tokio::test]
    async fn confirmation_of_an_unwanted_channel_is_not_reported() {
        let (receiver, mut reported) = recorder();
        let requests = Arc::new(LinkRequests::default());
        let reports = Reports::new(Arc::new(Inbox::new(receiver)), requests.clone());
        requests.subscribe(Channel::Control);
        reports.start_subscription_changes();
        requests.unsubscribe(Channel::Control);
        reports.confirm(Channel::Control);
        tokio::task::yield_now().await;
        assert_eq!(reported.try_next(), None);
        // Unknown to the connection, which sends the subscription again.
        requests.subscribe(Channel::Control);
        assert_eq!(reports.start_subscription_changes(), [SubscriptionChange::Subscribe(Channel::Control)]);
        reports.confirm(Channel::Control);
        assert_eq!(reported.next().await, Report::Subscribed(Channel::Control));
    }

    #[tokio::test]
    async fn nothing_follows_the_loss_of_a_connection() {
        let (receiver, mut reported) = recorder();
        let (inbox, requests) = (Arc::new(Inbox::new(receiver)), Arc::new(LinkRequests::default()));
        requests.subscribe(Channel::Control);
        for is_confirmed in [false, true] {
            let reports = Reports::new(inbox.clone(), requests.clone());
            reports.start_subscription_changes();
            if is_confirmed {
                reports.confirm(Channel::Control);
            }
            assert!(requests.publish(Channel::Control, Bytes::new()));
            reports.lose("first");
            assert_eq!(reports.start_publishing(), []);
            reports.lose("second");
            reports.confirm(Channel::Control);
            reports.receive(Channel::Control, Bytes::new());
            assert_eq!(reports.lost().await, "first");
        }
        assert_eq!(reported.next().await, Report::Subscribed(Channel::Control));
        assert_eq!(reported.next().await, Report::Lost);
        tokio::task::yield_now().await;
        assert_eq!(reported.try_next(), None);
    }

    #[cfg(feature = "nats")]
    #[tokio::test]
    async fn overflow_concerns_confirmed_channels() {
        let (receiver, mut reported) = recorder();
        let requests = Arc::new(LinkRequests::default());
        let reports = Reports::new(Arc::new(Inbox::new(receiver)), requests.clone());
        let channels = [1, 2, 3].map(|index| Channel::from_index(index).unwrap());
        for channel in channels {
            requests.subscribe(channel);
        }
        reports.start_subscription_changes();
        reports.overflow_all();
        reports.confirm(channels[0]);
        reports.confirm(channels[2]);
        reports.overflow_all();
        reported.subscribed([channels[0], channels[2]]).await;
        assert_eq!(reported.next().await, Report::Overflowed(channels[0]));
        assert_eq!(reported.next().await, Report::Overflowed(channels[2]));
        reports.lose("");
        reports.overflow_all();
        assert_eq!(reported.next().await, Report::Lost);
        tokio::task::yield_now().await;
        assert_eq!(reported.try_next(), None);
    }
}
