//! The broker within one process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::event_log::{LogContents, LogId, LogPosition, MAX_LOGGED_BYTES};
use super::inbox::{Inbox, Received};
use super::memory_logs::MemoryLogs;
use super::{Broker, BrokerLink, Channel, LinkReceiver, MAX_MESSAGE_BYTES, OpenLink};
use crate::error::Result;
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
    links: Arc<Mutex<LinksByNamespace>>,
    logs: Arc<Mutex<LogsByNamespace>>,
}

type LogsByNamespace = HashMap<String, Arc<MemoryLogs>>;

type LinksByNamespace = HashMap<String, Vec<Weak<MemoryLink>>>;

struct MemoryLink {
    namespace: String,
    /// Protects the links, and the channels of each. Held while a message is passed on, so that all links receive messages in
    /// the same order.
    links: Arc<Mutex<LinksByNamespace>>,
    logs: Arc<MemoryLogs>,
    inbox: Inbox,
    channels: Mutex<BTreeSet<Channel>>,
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

    fn connects_processes(&self) -> bool {
        false
    }

    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        let (links, inbox) = (self.links.clone(), Inbox::new(receiver));
        let logs = ignore_poison(self.logs.lock()).entry(namespace.to_owned()).or_default().clone();
        let link = MemoryLink { namespace: namespace.to_owned(), links, logs, inbox, channels: Mutex::default() };
        let link = Arc::new(link);
        let mut links = ignore_poison(self.links.lock());
        let links = links.entry(namespace.to_owned()).or_default();
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(&link));
        link
    }
}

impl MemoryLink {
    fn pass_on(&self, links: &LinksByNamespace, channel: Channel, message: &Bytes) {
        for link in links.get(&self.namespace).into_iter().flatten().filter_map(Weak::upgrade) {
            if ignore_poison(link.channels.lock()).contains(&channel) {
                link.inbox.push(Received::Message(channel, message.clone()));
            }
        }
    }
}

impl BrokerLink for MemoryLink {
    fn publish(&self, channel: Channel, message: Bytes) -> bool {
        if message.len() > MAX_MESSAGE_BYTES {
            return false;
        }
        let links = ignore_poison(self.links.lock());
        self.pass_on(&links, channel, &message);
        true
    }

    fn append(&self, log: &LogId, message: Bytes) -> bool {
        if message.len() > MAX_LOGGED_BYTES {
            return false;
        }
        // Locked before the message has its position, so that all links receive the messages of a log in order.
        let links = ignore_poison(self.links.lock());
        let Ok(position) = self.logs.append(log, message.clone()) else { return false };
        self.pass_on(&links, Channel::History(log.partition), &position.address(&message));
        true
    }

    fn read_log(&self, log: LogId, after: Option<LogPosition>) -> BoxFuture<'_, Result<LogContents>> {
        Box::pin(ready(self.logs.read(&log, after)))
    }

    fn purge_log(&self, log: LogId) -> BoxFuture<'_, Result<()>> {
        self.logs.purge(&log);
        Box::pin(ready(Ok(())))
    }

    fn subscribe(&self, channel: Channel) {
        let _links = ignore_poison(self.links.lock());
        if ignore_poison(self.channels.lock()).insert(channel) {
            self.inbox.push(Received::Subscribed(channel));
        }
    }

    fn unsubscribe(&self, channel: Channel) {
        let _links = ignore_poison(self.links.lock());
        ignore_poison(self.channels.lock()).remove(&channel);
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
