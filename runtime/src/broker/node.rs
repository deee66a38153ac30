//! A machine of a service: its link to the broker, what it has heard of the others, and how long its rights hold without
//! them.
//!
//! # Changes of rights
//!
//! A change is published on the control channel when it has taken effect here. Each machine applies it and acknowledges it.
//! The one that has published it waits for all machines that may still use rights from before: those that it has heard of
//! within [`MAX_SILENCE`].
//!
//! A machine that the broker does not reach cannot apply a change. Therefore rights hold for a [`LEASE`]: each machine sends
//! a heartbeat on the control channel every [`HEARTBEAT_INTERVAL`], and receives it itself. The broker passes the messages
//! of a channel on in one order, so when a heartbeat is back, all changes that the broker had before it are here too. The
//! lease counts from when that heartbeat was *sent*. A machine whose lease has ended evaluates everything anew, and
//! again after each lease, so that no right is older than a lease. When the link is back, it does so once more, because it
//! may have missed changes.
//!
//! So a change that is back itself at a time `t` holds on all machines at `t + LEASE`, and at `t + MAX_SILENCE` for a
//! process that was paused meanwhile. The broker must be one server, or behave as one. A machine that has listened for less
//! than [`MAX_SILENCE`] may not know all others.
//!
//! # Events
//!
//! The messages of a machine on a channel are numbered. A number that is missing, in a message or in a heartbeat, is a
//! gap: the application may have to load again what it shows.
//!
//! [`presence`] describes how machines know the users that are connected to the others.

mod endpoint;
mod history;
mod partition_hold;
mod presence;
mod receiving;
mod start;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

pub(crate) use self::endpoint::ClusterEndpoint;
use super::channel::CHANNEL_COUNT;
use super::cluster_key::ClusterKey;
use super::control::{ChangeMessage, ControlMessage};
use super::lease::Lease;
use super::machine_id::MachineId;
use super::message::{EventMessage, seal};
use super::node_presence::NodePresence;
use super::peers::{Peers, ReceivedNumbers};
use super::pending_change::PendingChanges;
use super::subscriptions::Subscriptions;
use super::{BrokerLink, Channel, MAX_MESSAGE_BYTES, Partition};
use crate::panic::{catch_unwind, log_entry};
use crate::sync::ignore_poison;

/// How often a machine sends a heartbeat.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// How long a machine that departs waits for the broker.
const DEPARTURE_TIMEOUT: Duration = Duration::from_millis(500);

/// The maximum size of an event between machines in bytes. A message of NATS may have 1 MiB, if its server is not configured
/// otherwise.
pub(crate) const MAX_BODY_BYTES: usize = 900 * 1024;

/// The maximum size of a change of rights in bytes. Instead of a larger one, everything is evaluated anew.
const MAX_CHANGE_BYTES: usize = MAX_MESSAGE_BYTES / 2;

/// What a node has counted since it was started.
#[derive(Debug, Default)]
pub(crate) struct NodeCounters {
    /// Messages of other machines.
    pub(crate) received: AtomicU64,
    /// Messages that could not be read, or whose tag was wrong.
    pub(crate) unreadable: AtomicU64,
    /// Events of a type that is unknown here or differs.
    pub(crate) unknown: AtomicU64,
    /// Times that events may have been lost.
    pub(crate) gaps: AtomicU64,
    /// Messages that were not published because too many waited.
    pub(crate) dropped: AtomicU64,
    /// Times that the link was lost.
    pub(crate) losses: AtomicU64,
}

/// A machine.
pub(crate) struct Node {
    machine: MachineId,
    /// The name of the consumer.
    namespace: String,
    connects_processes: bool,
    /// By the index of the channel: its name with the namespace, which tags cover.
    channel_names: [String; CHANNEL_COUNT],
    key: Option<ClusterKey>,
    /// Whether connections are closed where they would be evaluated anew because changes may have been missed.
    closes_when_cut_off: bool,
    link: Arc<dyn BrokerLink>,
    endpoint: Weak<dyn ClusterEndpoint>,
    /// By the index of the channel: the number of the last message. Each is locked until the message is queued, so that the
    /// numbers rise in the order of publication. Lock order: before that of the lease.
    sequences: [Mutex<u64>; CHANNEL_COUNT],
    /// The number of publications on several channels.
    publications: AtomicU64,
    /// Whether the others have been told that this machine has no connections any more.
    has_departed: AtomicBool,
    lease: Lease,
    /// Held by the thread that evaluates everything anew, because the lease has ended. Taken while no other lock is held.
    renewing: Mutex<()>,
    /// Protects what is known of the link and of other machines. The link's locks are taken under it.
    state: Mutex<NodeState>,
    /// Notified when a subscription is confirmed, and when users of another machine are known.
    confirmed: Notify,
    presence: NodePresence,
    pub(super) changes: PendingChanges,
    pub(crate) counters: NodeCounters,
    /// Ends with the node.
    upkeep: Mutex<Option<AbortHandle>>,
}

struct NodeState {
    subscriptions: Subscriptions,
    peers: Peers,
    /// The own messages on history channels that are back.
    own: ReceivedNumbers,
    /// Since when the link is up: the first heartbeat is back. `None` if it is down.
    listens_since: Option<Instant>,
    /// Whether changes may have been lost. If so, nothing extends the lease until everything was evaluated anew.
    has_missed_changes: bool,
}

/// Keeps the channel of a partition subscribed until it is dropped.
pub(crate) struct PartitionHold {
    node: Arc<Node>,
    partition: Partition,
    channel: Channel,
}

impl Node {
    fn state(&self) -> MutexGuard<'_, NodeState> {
        ignore_poison(self.state.lock())
    }

    /// Publishes a message. `record` gets its number before the message can be received.
    fn publish(&self, channel: Channel, payload: &[u8], record: impl FnOnce(u64)) {
        if !self.enqueue(channel, payload, record) {
            self.report_dropped(channel);
        }
    }

    /// Queues a message for publication. Returns whether there was room for it.
    fn enqueue(&self, channel: Channel, payload: &[u8], record: impl FnOnce(u64)) -> bool {
        let publish = |message| self.link.publish(channel, message);
        self.number(channel, payload, record, publish)
    }

    /// Seals a message with the next number of its channel, and queues it by `publish` before another one gets a number.
    fn number(
        &self,
        channel: Channel,
        payload: &[u8],
        record: impl FnOnce(u64),
        publish: impl FnOnce(Bytes) -> bool,
    ) -> bool {
        let name = &self.channel_names[channel.index()];
        let mut last = ignore_poison(self.sequences[channel.index()].lock());
        *last += 1;
        let message = seal(self.key.as_ref(), name, (self.machine, *last), payload);
        record(*last);
        publish(message)
    }

    /// Counts a message that was dropped. Called while no lock is held, because it calls the subscriber of the log.
    fn report_dropped(&self, channel: Channel) {
        let count = self.counters.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            let channel = &self.channel_names[channel.index()];
            log_entry!(WARN, channel, count, "message to other machines dropped: too many wait, or it is too large");
        }
    }

    fn send_control(&self, message: &ControlMessage<'_>) {
        self.send_recorded(&message.encode(), |_| ());
    }

    /// Sends an encoded control message. `record` gets its number before the message can be received.
    fn send_recorded(&self, payload: &[u8], record: impl FnOnce(u64)) {
        self.publish(Channel::Control, payload, |sequence| {
            self.lease.record_sent(sequence);
            record(sequence);
        });
    }

    /// Publishes an event to the members of one group or to a user on other machines.
    pub(crate) fn publish_event(&self, partition: Partition, message: &EventMessage<'_>) {
        self.publish(Channel::Partition(partition), &message.encode(), |_| ());
    }

    /// Publishes an event to the members of several groups on other machines, on each of these partitions once.
    pub(crate) fn publish_to_several(&self, mut partitions: Vec<Partition>, mut message: EventMessage<'_>) {
        partitions.sort_unstable();
        partitions.dedup();
        message.publication = Some(self.publications.fetch_add(1, Ordering::Relaxed));
        let payload = message.encode();
        for partition in partitions {
            self.publish(Channel::Partition(partition), &payload, |_| ());
        }
    }

    fn subscribe(&self, channel: Channel) {
        let mut state = self.state();
        // Under the lock, so that it does not overtake an `unsubscribe`.
        if state.subscriptions.hold(channel) {
            self.link.subscribe(channel);
        }
    }

    /// Keeps a partition subscribed until the returned value is dropped.
    pub(crate) fn hold(self: &Arc<Self>, partition: Partition) -> PartitionHold {
        self.hold_channel(partition, Channel::Partition(partition))
    }

    /// Keeps the events of the groups of a partition that have a history subscribed until the returned value is dropped.
    pub(crate) fn hold_history(self: &Arc<Self>, partition: Partition) -> PartitionHold {
        self.hold_channel(partition, Channel::History(partition))
    }

    fn hold_channel(self: &Arc<Self>, partition: Partition, channel: Channel) -> PartitionHold {
        self.subscribe(channel);
        PartitionHold { node: self.clone(), partition, channel }
    }

    /// Reports a change of rights, which has taken effect here, to the other machines. Returns its id in
    /// [`changes`](Node::changes), and what is notified of its progress.
    pub(super) fn send_change(&self, change: &ChangeMessage<'_>) -> (u64, Arc<Notify>) {
        let (id, progress) = self.changes.begin(Instant::now());
        let encode = |change| ControlMessage::Change { id, change }.encode();
        let mut payload = encode(change.clone());
        if payload.len() > MAX_CHANGE_BYTES && !change.is_disconnect() {
            payload = encode(ChangeMessage::All);
        }
        self.send_recorded(&payload, |sequence| self.changes.record_sent(id, sequence));
        (id, progress)
    }

    /// Tells the other machines that this one has no connections any more, so that they do not wait for it. Waits until the
    /// broker has passed it on, for half a second at most.
    pub(crate) async fn depart(&self) {
        self.has_departed.store(true, Ordering::SeqCst);
        let (id, progress) = self.changes.begin(Instant::now());
        self.send_recorded(&ControlMessage::Departure.encode(), |sequence| self.changes.record_sent(id, sequence));
        let passed_on = async {
            while self.changes.progress(id).is_some_and(|progress| progress.returned_at.is_none()) {
                progress.notified().await;
            }
        };
        let _ = timeout(DEPARTURE_TIMEOUT, passed_on).await;
        self.changes.end(id);
    }

    /// Returns since when the other machines are heard. `None` while the link is down.
    pub(super) fn listens_since(&self) -> Option<Instant> {
        self.state().listens_since
    }

    pub(crate) fn id(&self) -> MachineId {
        self.machine
    }

    /// Returns whether the broker connects several processes.
    pub(crate) fn connects_processes(&self) -> bool {
        self.connects_processes
    }

    /// Returns whether the link is up.
    pub(crate) fn is_connected(&self) -> bool {
        self.listens_since().is_some()
    }

    /// Returns whether this machine, and each that it has heard of, closes its connections when it is cut off.
    pub(super) fn all_close_when_cut_off(&self) -> bool {
        self.closes_when_cut_off && self.state().peers.all_close_when_cut_off()
    }

    /// Returns whether no connection is accepted now, because it would miss that it is to be closed.
    pub(crate) fn refuses_connections(&self) -> bool {
        self.closes_when_cut_off && !self.is_connected()
    }

    /// Returns the number of other machines that were heard of lately.
    pub(crate) fn peer_count(&self) -> usize {
        self.state().peers.machines().len()
    }

    /// Evaluates everything anew if the lease has ended. Called before rights are used that were evaluated before, so that a
    /// process which was paused does not use them.
    #[inline]
    pub(crate) fn enforce_lease(&self) {
        if self.lease.has_ended(self.lease.now()) {
            self.renew_lease();
        }
    }

    /// Evaluates everything anew if the lease has ended. Threads that come meanwhile wait, because they are about to use what is
    /// not evaluated anew yet.
    #[cold]
    fn renew_lease(&self) {
        // After a drain there is nothing left whose rights could be old.
        if self.has_departed.load(Ordering::SeqCst) {
            return;
        }
        let _renewing = ignore_poison(self.renewing.lock());
        let begun_at = self.lease.now();
        if self.lease.has_ended(begun_at) && self.apply_all() {
            self.lease.extend(begun_at);
        }
    }

    /// Evaluates everything anew, or closes all connections: what is evaluated from here on is no older than this. Returns whether
    /// it has.
    fn apply_all(&self) -> bool {
        let Some(endpoint) = self.endpoint.upgrade() else { return true };
        let apply = || {
            endpoint.clone().apply(&ChangeMessage::All, Box::new(|| ()));
            if self.closes_when_cut_off {
                endpoint.close_all();
            }
        };
        catch_unwind(apply).is_ok()
    }

    fn upkeep(&self) {
        let now = Instant::now();
        let mut state = self.state();
        let (idle, gap) = state.subscriptions.take_idle(now);
        for channel in idle {
            state.peers.forget_channel(channel);
            state.own.forget_channel(channel);
            self.end_presence(channel);
            self.link.unsubscribe(channel);
        }
        let is_lost = state.listens_since.is_none();
        drop(state);
        if !gap.is_empty() {
            self.record_gap(gap);
        }
        if is_lost {
            self.expire_presence(now);
        }
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.upkeep();
        }
        // While the link is down, heartbeats would wait, and then announce messages that wait behind them.
        let is_subscribed = self.state().subscriptions.is_confirmed(Channel::Control.index());
        if is_subscribed && !self.has_departed.load(Ordering::SeqCst) {
            let last = |index: usize| (index, *ignore_poison(self.sequences[index].lock()));
            let channels = (0..CHANNEL_COUNT).filter(|index| *index != Channel::Control.index());
            let sequences = channels.map(last).filter(|(_, sequence)| *sequence > 0).collect();
            let (closes_when_cut_off, presence) = (self.closes_when_cut_off, self.presence.versions());
            self.send_control(&ControlMessage::Heartbeat { closes_when_cut_off, sequences, presence });
        }
        self.enforce_lease();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.send_control(&ControlMessage::Departure);
        if let Some(upkeep) = ignore_poison(self.upkeep.lock()).take() {
            upkeep.abort();
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("machine", &self.machine).field("link", &self.link).finish_non_exhaustive()
    }
}
