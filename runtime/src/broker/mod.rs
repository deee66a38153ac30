//! Brokers: what carries messages between the machines of a service.
//!
//! A machine is one endpoint in one process. It has a [link](BrokerLink) to the broker, publishes on channels, and receives
//! what the others publish on the channels that it subscribes to, in the order of each publisher. A link knows neither
//! events nor rights: messages are bytes to it. It repairs itself. A message may be lost, for example while the link is
//! down. The numbers of the messages tell ([`node`]), and a link reports when it may have missed some.

mod channel;
mod cluster_key;
mod control;
mod event_log;
mod inbox;
mod lease;
mod local_presence;
mod machine_id;
mod machine_presence;
mod memory;
mod memory_logs;
mod message;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "testing")]
mod network;
mod node;
mod node_presence;
mod peers;
mod pending_change;
mod presence_message;
mod propagation;
#[cfg(feature = "redis")]
mod redis;
mod remote_presence;
mod sent_change;
#[cfg(any(feature = "nats", feature = "redis"))]
mod server_link;
mod subscriptions;
// With `--cfg loom`, tokio has one thread and no network.
#[cfg(not(loom))]
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub(crate) use channel::{Channel, Partition, PartitionSet};
pub(crate) use cluster_key::ClusterKey;
pub(crate) use control::ChangeMessage;
pub(crate) use event_log::{LogContents, LogId, LogName, LogPosition};
pub use machine_id::MachineId;
pub(crate) use machine_presence::GroupUser;
pub use memory::MemoryBroker;
pub(crate) use memory_logs::{MemoryLogs, unix_millis};
pub use message::{EventMessage, Target, Undeliverable};
#[cfg(feature = "nats")]
pub use nats::NatsBroker;
#[cfg(feature = "testing")]
pub use network::ClusterBroker;
#[cfg(feature = "testing")]
pub(crate) use network::Network;
pub(crate) use node::{ClusterEndpoint, MAX_BODY_BYTES, Node, NodeCounters, PartitionHold};
pub(crate) use presence_message::GroupId;
pub use propagation::Propagation;
#[cfg(feature = "redis")]
pub use redis::RedisBroker;
pub(crate) use sent_change::SentChange;

use crate::error::{Error, Result};

/// The size of the largest message, in bytes: what a NATS server accepts by default.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// A message broker that connects the machines of a service. Implemented by [`MemoryBroker`], `RedisBroker` with the feature
/// `redis`, and `NatsBroker` with the feature `nats`. It cannot be implemented outside of this crate.
pub trait Broker: fmt::Debug + OpenLink + 'static {}

/// The part of a [`Broker`] that only this crate uses.
pub trait OpenLink: Send + Sync {
    /// Returns whether the broker cannot be reached from other computers.
    fn is_loopback(&self) -> bool;

    /// Returns whether the broker connects several processes.
    fn connects_processes(&self) -> bool {
        true
    }

    /// Opens a link, which carries the messages of one namespace. Returns at once: the link connects in the background, and
    /// again after it was lost, until it is dropped.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink>;
}

/// A machine's link to the broker.
pub trait BrokerLink: fmt::Debug + Send + Sync {
    /// Queues a message. Messages are published in the order of these calls. Returns whether it was queued: if too many
    /// wait, or if it has more than 1 MiB, it is dropped. It may still be lost, with the link. On the control channel it may be
    /// published twice instead: receivers discard a number that they have received.
    fn publish(&self, channel: Channel, message: Bytes) -> bool;

    /// Subscribes to a channel, now or when the link is up again. [`LinkReceiver::subscribed`] confirms it.
    fn subscribe(&self, channel: Channel);

    /// Appends a message to a log, and passes it on with its position on the history channel of the log's partition. The broker
    /// does both or neither. Queued as by [`publish`](BrokerLink::publish), but not while the link is down: returns `false` then.
    fn append(&self, log: &LogId, message: Bytes) -> bool;

    /// Reads the messages of a log after a position, or only the end of the log, whose position is good for at least half of the
    /// log's age from now on.
    ///
    /// # Errors
    ///
    /// 503 if the broker does not reply.
    fn read_log(&self, log: LogId, after: Option<LogPosition>) -> BoxFuture<'_, Result<LogContents>>;

    /// Forgets the messages of a log. No position from before is good any more.
    ///
    /// # Errors
    ///
    /// 503 if the broker does not reply.
    fn purge_log(&self, log: LogId) -> BoxFuture<'_, Result<()>>;

    /// Unsubscribes from a channel. Messages and a confirmation that are under way may still arrive, also after the channel
    /// was subscribed again.
    fn unsubscribe(&self, channel: Channel);
}

/// What receives from a link. Called by one task of the link at a time, in order, and does not block.
pub trait LinkReceiver: Send + Sync {
    /// Receives a message of a channel, also those that this machine has published.
    fn receive(&self, channel: Channel, message: Bytes);

    /// The broker has confirmed the subscription of a channel: what is published from now on is received.
    fn subscribed(&self, channel: Channel);

    /// Messages of the channel may have been lost, because they came too fast. It is still subscribed.
    fn overflowed(&self, channel: Channel);

    /// The link is down: no channel is subscribed until it is confirmed again. Called once per loss.
    fn lost(&self);
}

/// Returns the error of a call that needs the broker, which does not reply.
fn broker_unavailable() -> Error {
    Error::broker_unavailable()
}

/// Returns whether a host of a URL is this computer.
#[cfg(any(feature = "nats", feature = "redis"))]
fn is_loopback_host(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
