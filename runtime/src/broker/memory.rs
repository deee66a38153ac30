//! The broker within one process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use bytes::Bytes;

use super::inbox::{Inbox, Received};
use super::{Broker, BrokerLink, Channel, LinkReceiver, MAX_MESSAGE_BYTES, OpenLink};
use crate::sync::ignore_poison;

/// Connects endpoints in one process as if each were a machine of its own, for tests and for several endpoints of one
/// consumer. Clones are the same broker.
///
/// An application that runs on one machine needs no broker.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, MemoryBroker, consumer};
/// # struct Chat;
/// # #[consumer]
/// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let broker = MemoryBroker::new();
/// let one = portcullis::websocket(Chat).broker(broker.clone());
/// let other = portcullis::websocket(Chat).broker(broker);
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryBroker {
    hub: Arc<Mutex<Hub>>,
}

/// The number of messages that a link which is cut keeps.
const MAX_WAITING: usize = 16_384;

/// The links by their namespaces.
type Hub = HashMap<String, Vec<Weak<MemoryLink>>>;

struct MemoryLink {
    namespace: String,
    hub: Arc<Mutex<Hub>>,
    inbox: Inbox,
    /// Changes under the lock of the hub.
    state: Mutex<MemoryLinkState>,
}

#[derive(Default)]
struct MemoryLinkState {
    channels: BTreeSet<Channel>,
    /// Whether the link is cut, and what was published since.
    cut: Option<Vec<(Channel, Bytes)>>,
}

impl MemoryBroker {
    /// Creates a broker.
    pub fn new() -> MemoryBroker {
        MemoryBroker::default()
    }
}

impl Broker for MemoryBroker {}

impl OpenLink for MemoryBroker {
    fn is_loopback(&self) -> bool {
        true
    }

    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        let link = Arc::new(MemoryLink {
            namespace: namespace.to_owned(),
            hub: self.hub.clone(),
            inbox: Inbox::new(receiver),
            state: Mutex::default(),
        });
        let mut hub = ignore_poison(self.hub.lock());
        let links = hub.entry(namespace.to_owned()).or_default();
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(&link));
        link
    }
}

impl MemoryLink {
    fn state(&self) -> MutexGuard<'_, MemoryLinkState> {
        ignore_poison(self.state.lock())
    }
}

/// Passes a message on to the links that are subscribed. The hub is locked meanwhile, so that all links receive messages in
/// the same order.
fn pass_on(hub: &Hub, namespace: &str, channel: Channel, message: &Bytes) {
    for link in hub.get(namespace).into_iter().flatten().filter_map(Weak::upgrade) {
        let state = link.state();
        if state.cut.is_none() && state.channels.contains(&channel) {
            link.inbox.push(Received::Message(channel, message.clone()));
        }
    }
}

impl BrokerLink for MemoryLink {
    fn publish(&self, channel: Channel, message: Bytes) -> bool {
        if message.len() > MAX_MESSAGE_BYTES {
            return false;
        }
        let hub = ignore_poison(self.hub.lock());
        if let Some(waiting) = &mut self.state().cut {
            let has_room = waiting.len() < MAX_WAITING;
            if has_room {
                waiting.push((channel, message));
            }
            return has_room;
        }
        pass_on(&hub, &self.namespace, channel, &message);
        true
    }

    fn subscribe(&self, channel: Channel) {
        let _hub = ignore_poison(self.hub.lock());
        let mut state = self.state();
        if state.channels.insert(channel) && state.cut.is_none() {
            self.inbox.push(Received::Subscribed(channel));
        }
    }

    fn unsubscribe(&self, channel: Channel) {
        let _hub = ignore_poison(self.hub.lock());
        self.state().channels.remove(&channel);
    }
}

#[cfg(test)]
impl MemoryBroker {
    /// Cuts the link off that was opened at this position in its namespace, as if the network had failed.
    pub(super) fn cut(&self, namespace: &str, index: usize) {
        let hub = ignore_poison(self.hub.lock());
        let link = hub[namespace][index].upgrade().unwrap();
        if link.state().cut.replace(Vec::new()).is_none() {
            link.inbox.push(Received::Lost);
        }
    }

    /// Reverts [`cut`](MemoryBroker::cut).
    pub(super) fn heal(&self, namespace: &str, index: usize) {
        let hub = ignore_poison(self.hub.lock());
        let link = hub[namespace][index].upgrade().unwrap();
        let waiting = link.state().cut.take();
        for channel in &link.state().channels {
            link.inbox.push(Received::Subscribed(*channel));
        }
        for (channel, message) in waiting.into_iter().flatten() {
            pass_on(&hub, namespace, channel, &message);
        }
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLink").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
