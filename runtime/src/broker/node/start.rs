//! Starting a node, and the task and the receiver that it has until it is dropped.

use std::array::from_fn;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{ClusterEndpoint, HEARTBEAT_INTERVAL, Node, NodeCounters, NodeState};
use crate::broker::cluster_key::ClusterKey;
use crate::broker::lease::{Lease, suspended};
use crate::broker::machine_id::MachineId;
use crate::broker::node_presence::NodePresence;
use crate::broker::peers::{Peers, ReceivedNumbers};
use crate::broker::pending_change::PendingChanges;
use crate::broker::subscriptions::Subscriptions;
use crate::broker::{Channel, LinkReceiver, OpenLink};
use crate::error::Result;
use crate::sync::ignore_poison;

/// The pause between attempts to renew a lease that has ended.
const RENEWAL_PAUSE: Duration = Duration::from_millis(10);

/// Receives for a node, which it does not keep alive.
struct NodeReceiver(Weak<Node>);

impl Node {
    /// Starts a node, which ends when it is dropped.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(crate) fn start(
        broker: &dyn OpenLink,
        namespace: &str,
        key: Option<ClusterKey>,
        closes_when_cut_off: bool,
        endpoint: Weak<dyn ClusterEndpoint>,
    ) -> Result<Arc<Node>> {
        let machine = MachineId::random()?;
        let name =
            |index| Channel::from_index(index).map(|channel| format!("{namespace}/{channel}")).unwrap_or_default();
        let node = Arc::new_cyclic(|node: &Weak<Node>| Node {
            machine,
            namespace: namespace.to_owned(),
            connects_processes: broker.connects_processes(),
            channel_names: from_fn(name),
            key,
            closes_when_cut_off,
            link: broker.open(namespace, Arc::new(NodeReceiver(node.clone()))),
            endpoint,
            sequences: from_fn(|_| Mutex::new(0)),
            publications: AtomicU64::new(0),
            has_departed: AtomicBool::new(false),
            lease: Lease::new(suspended),
            renewing: Mutex::default(),
            state: Mutex::new(NodeState {
                subscriptions: Subscriptions::new(),
                peers: Peers::default(),
                own: ReceivedNumbers::new(),
                listens_since: None,
                // A change may be missed until the first heartbeat is back.
                has_missed_changes: true,
            }),
            confirmed: Notify::new(),
            presence: NodePresence::new(),
            changes: PendingChanges::default(),
            counters: NodeCounters::default(),
            upkeep: Mutex::new(None),
        });
        node.subscribe(Channel::Control);
        // Nothing was evaluated yet that could be older.
        node.lease.extend(node.lease.now());
        let upkeep = tokio::spawn(run_upkeep(Arc::downgrade(&node)));
        *ignore_poison(node.upkeep.lock()) = Some(upkeep.abort_handle());
        Ok(node)
    }
}

impl LinkReceiver for NodeReceiver {
    fn receive(&self, channel: Channel, message: Bytes) {
        if let Some(node) = self.0.upgrade() {
            node.receive(channel, message);
        }
    }

    fn subscribed(&self, channel: Channel) {
        if let Some(node) = self.0.upgrade() {
            node.receive_subscribed(channel);
        }
    }

    fn overflowed(&self, channel: Channel) {
        if let Some(node) = self.0.upgrade() {
            node.record_loss(channel);
        }
    }

    fn lost(&self) {
        if let Some(node) = self.0.upgrade() {
            node.receive_lost();
        }
    }
}

async fn run_upkeep(node: Weak<Node>) {
    let mut ticks = interval(HEARTBEAT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let Some(lease_ends_at) = node.upgrade().map(|node| node.lease.ends_at()) else { return };
        tokio::select! {
            _ = ticks.tick() => {
                if let Some(node) = node.upgrade() {
                    node.upkeep();
                }
            }
            // Not at once, if it has ended and could not be renewed.
            () = sleep_until(lease_ends_at.max(Instant::now() + RENEWAL_PAUSE)) => {
                if let Some(node) = node.upgrade() {
                    node.enforce_lease();
                }
            }
        }
    }
}
