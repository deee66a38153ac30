//! A network of several machines in one process that fails when a test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::event_log::Destination;
use super::event_log::{LogContents, LogId, LogPosition};
use super::inbox::{Inbox, Received};
use super::memory_logs::MemoryLogs;
use super::{Broker, BrokerLink, Channel, LinkReceiver, OpenLink, broker_unavailable};
use crate::error::Result;
use crate::sync::ignore_poison;

/// The longest times that something takes in the network.
#[derive(Debug, Clone, Copy)]
struct Delays {
    /// A message in one direction.
    latency: Duration,
    /// Until a machine notices that it is cut off.
    detection: Duration,
    /// Until the link of a machine is up again.
    reconnect: Duration,
}

/// The number of messages that wait while a machine is cut off.
const MAX_WAITING: usize = 16_384;

/// The network.
pub(crate) struct Network {
    delays: Delays,
    state: Mutex<NetworkState>,
    /// Notified when a machine is not cut off any more.
    healed: Notify,
}

struct NetworkState {
    random: u64,
    machines: Vec<MachineState>,
    links: Vec<Weak<SimulatedLink>>,
    logs: BTreeMap<String, Arc<MemoryLogs>>,
}

#[derive(Clone, Copy, Default)]
struct MachineState {
    is_cut: bool,
    has_crashed: bool,
    /// The number of times that it was cut off.
    cuts: u64,
}

impl Network {
    /// Creates the network of this number of machines. Messages take up to 5 ms in each direction, a machine notices after up to
    /// two seconds that it is cut off, and is connected again after up to one.
    pub(crate) fn new(count: usize, seed: u64) -> Network {
        let (latency, detection) = (Duration::from_millis(5), Duration::from_secs(2));
        Network::with_delays(count, seed, Delays { latency, detection, reconnect: Duration::from_secs(1) })
    }

    /// Creates a network in which everything happens at once.
    #[cfg(test)]
    pub(super) fn without_delays(count: usize) -> Network {
        let [latency, detection, reconnect] = [Duration::ZERO; 3];
        Network::with_delays(count, 0, Delays { latency, detection, reconnect })
    }

    fn with_delays(count: usize, seed: u64, delays: Delays) -> Network {
        let machines = vec![MachineState::default(); count];
        let state = NetworkState { random: seed, machines, links: Vec::new(), logs: BTreeMap::new() };
        Network { delays, state: Mutex::new(state), healed: Notify::new() }
    }

    /// Cuts a machine off, which notices it after a while. What it receives meanwhile is lost; what it sends waits.
    pub(crate) fn partition(self: &Arc<Self>, machine: usize) {
        let mut state = self.state();
        let detection = state.random_up_to(self.delays.detection);
        let machine_state = &mut state.machines[machine];
        machine_state.is_cut = true;
        // Also if it was cut off before: it may be about to connect again.
        machine_state.cuts += 1;
        let cuts = machine_state.cuts;
        drop(state);
        let network = self.clone();
        tokio::spawn(async move {
            sleep(detection).await;
            network.lose(machine, cuts);
        });
    }

    /// Reverts [`partition`](Network::partition), after a while.
    pub(crate) fn heal(self: &Arc<Self>, machine: usize) {
        let mut state = self.state();
        let MachineState { cuts, is_cut, .. } = state.machines[machine];
        let reconnect = state.random_up_to(self.delays.reconnect);
        drop(state);
        if is_cut {
            let network = self.clone();
            tokio::spawn(async move {
                sleep(reconnect).await;
                network.restore(machine, cuts);
            });
        }
    }

    /// Cuts a machine off for good, which does not notice it.
    pub(crate) fn crash(&self, machine: usize) {
        self.state().machines[machine].has_crashed = true;
    }

    fn state(&self) -> MutexGuard<'_, NetworkState> {
        ignore_poison(self.state.lock())
    }

    /// A machine notices that it is cut off, unless it was connected again before.
    fn lose(&self, machine: usize, cuts: u64) {
        let state = self.state();
        if state.machines[machine].is_cut && state.machines[machine].cuts == cuts {
            state.links_of(machine).for_each(|link| link.lose());
        }
    }

    /// Connects a machine again, unless it was cut off again before.
    fn restore(&self, machine: usize, cuts: u64) {
        let mut state = self.state();
        let machine_state = &mut state.machines[machine];
        if machine_state.cuts != cuts || !machine_state.is_cut {
            return;
        }
        machine_state.is_cut = false;
        for link in state.links_of(machine) {
            // It may not have noticed yet.
            link.lose();
            link.connect();
        }
        drop(state);
        self.healed.notify_waiters();
    }

    /// Returns the logs of a namespace.
    fn logs(&self, namespace: &str) -> Arc<MemoryLogs> {
        self.state().logs.entry(namespace.to_owned()).or_default().clone()
    }

    /// Passes a message on to the links that are subscribed, after it was appended to a log if it is for one. Locked meanwhile, so
    /// that all receive messages in one order.
    fn receive(&self, namespace: &str, destination: &Destination, message: &Bytes) {
        let mut state = self.state();
        let (channel, message) = match destination {
            Destination::Channel(channel) => (*channel, message.clone()),
            Destination::Log(log) => {
                let logs = state.logs.entry(namespace.to_owned()).or_default();
                let Ok(position) = logs.append(log, message.clone()) else { return };
                (Channel::History(log.partition), position.address(message))
            }
        };
        let links: Vec<_> = state.links.iter().filter_map(Weak::upgrade).collect();
        for link in links.into_iter().filter(|link| link.namespace == namespace) {
            if state.is_connected(link.machine) && link.is_subscribed(channel) {
                let due_at = Instant::now() + state.random_up_to(self.delays.latency);
                // The task ends with the link.
                let _ = link.incoming.send((due_at, link.generation(), channel, message.clone()));
            }
        }
    }
}

impl NetworkState {
    /// Returns a random duration. `SplitMix64`, because the sequence must be the same in all versions.
    fn random_up_to(&mut self, max: Duration) -> Duration {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.random;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        max * u32::from((value >> 48) as u16) / u32::from(u16::MAX)
    }

    fn is_connected(&self, machine: usize) -> bool {
        let MachineState { is_cut, has_crashed, .. } = self.machines[machine];
        !is_cut && !has_crashed
    }

    fn links_of(&self, machine: usize) -> impl Iterator<Item = Arc<SimulatedLink>> {
        self.links.iter().filter_map(Weak::upgrade).filter(move |link| link.machine == machine)
    }
}

/// The broker of one machine of a [`Cluster`](crate::testing::Cluster).
#[derive(Clone)]
pub struct ClusterBroker {
    network: Arc<Network>,
    machine: usize,
}

impl ClusterBroker {
    /// Returns the broker of a machine.
    ///
    /// # Panics
    ///
    /// Panics if there is no such machine.
    pub(crate) fn new(network: &Arc<Network>, machine: usize) -> ClusterBroker {
        let count = network.state().machines.len();
        assert!(machine < count, "the cluster has {count} machines");
        ClusterBroker { network: network.clone(), machine }
    }
}

impl Broker for ClusterBroker {}

impl OpenLink for ClusterBroker {
    fn is_loopback(&self) -> bool {
        true
    }

    fn connects_processes(&self) -> bool {
        false
    }

    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        let (incoming, arriving) = unbounded_channel();
        let (outgoing, leaving) = unbounded_channel();
        let link = Arc::new(SimulatedLink {
            network: self.network.clone(),
            machine: self.machine,
            namespace: namespace.to_owned(),
            inbox: Inbox::new(receiver),
            incoming,
            outgoing,
            state: Mutex::new(LinkState { is_up: true, ..LinkState::default() }),
        });
        self.network.state().links.push(Arc::downgrade(&link));
        tokio::spawn(deliver(arriving, Arc::downgrade(&link)));
        let origin = (self.network.clone(), self.machine, namespace.to_owned());
        tokio::spawn(send(leaving, origin, Arc::downgrade(&link)));
        link
    }
}

struct SimulatedLink {
    network: Arc<Network>,
    machine: usize,
    namespace: String,
    inbox: Inbox,
    incoming: UnboundedSender<Arriving>,
    outgoing: UnboundedSender<Leaving>,
    state: Mutex<LinkState>,
}

/// A message on its way to a link: when it arrives, and in which generation of the link.
type Arriving = (Instant, u64, Channel, Bytes);

/// A message on its way from a link: when it is at the broker.
type Leaving = (Instant, Destination, Bytes);

#[derive(Default)]
struct LinkState {
    channels: BTreeSet<Channel>,
    is_up: bool,
    /// The number of losses. What was on its way then does not arrive.
    generation: u64,
    waiting: usize,
}

impl SimulatedLink {
    fn state(&self) -> MutexGuard<'_, LinkState> {
        ignore_poison(self.state.lock())
    }

    fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Waits for the time that a request or its reply takes.
    async fn reach_broker(&self) -> Result<()> {
        let latency = self.network.state().random_up_to(self.network.delays.latency);
        sleep(latency).await;
        let is_connected = self.state().is_up && self.network.state().is_connected(self.machine);
        if is_connected { Ok(()) } else { Err(broker_unavailable()) }
    }

    fn is_subscribed(&self, channel: Channel) -> bool {
        let state = self.state();
        state.is_up && state.channels.contains(&channel)
    }

    fn lose(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_up, false) {
            state.generation += 1;
            self.inbox.push(Received::Lost);
        }
    }

    fn connect(&self) {
        let mut state = self.state();
        state.is_up = true;
        for channel in &state.channels {
            self.inbox.push(Received::Subscribed(*channel));
        }
    }
}

impl BrokerLink for SimulatedLink {
    fn publish(&self, channel: Channel, message: Bytes) -> bool {
        let due_at = Instant::now() + self.network.state().random_up_to(self.network.delays.latency);
        let mut state = self.state();
        if state.waiting >= MAX_WAITING {
            return false;
        }
        state.waiting += 1;
        self.outgoing.send((due_at, Destination::Channel(channel), message)).is_ok()
    }

    fn append(&self, log: &LogId, message: Bytes) -> bool {
        let due_at = Instant::now() + self.network.state().random_up_to(self.network.delays.latency);
        let mut state = self.state();
        if state.waiting >= MAX_WAITING || !state.is_up {
            return false;
        }
        state.waiting += 1;
        self.outgoing.send((due_at, Destination::Log(*log), message)).is_ok()
    }

    fn read_log(&self, log: LogId, after: Option<LogPosition>) -> BoxFuture<'_, Result<LogContents>> {
        Box::pin(async move {
            self.reach_broker().await?;
            let contents = self.network.logs(&self.namespace).read(&log, after);
            self.reach_broker().await?;
            contents
        })
    }

    fn purge_log(&self, log: LogId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.reach_broker().await?;
            self.network.logs(&self.namespace).purge(&log);
            Ok(())
        })
    }

    fn subscribe(&self, channel: Channel) {
        // At once: a subscription that takes a while is one that was made later.
        let mut state = self.state();
        if state.channels.insert(channel) && state.is_up {
            self.inbox.push(Received::Subscribed(channel));
        }
    }

    fn unsubscribe(&self, channel: Channel) {
        self.state().channels.remove(&channel);
    }
}

/// Moves messages to the inbox of a link when they arrive, in their order.
async fn deliver(mut arriving: UnboundedReceiver<Arriving>, link: Weak<SimulatedLink>) {
    while let Some((due_at, generation, channel, message)) = arriving.recv().await {
        sleep_until(due_at).await;
        let Some(link) = link.upgrade() else { return };
        let is_connected = link.network.state().is_connected(link.machine);
        let state = link.state();
        if is_connected && state.is_up && state.generation == generation && state.channels.contains(&channel) {
            link.inbox.push(Received::Message(channel, message));
        }
    }
}

/// Moves messages of a link to the network, in their order. While the machine is cut off, they wait.
/// Those that wait when the link is dropped are still sent.
async fn send(
    mut leaving: UnboundedReceiver<Leaving>,
    (network, machine, namespace): (Arc<Network>, usize, String),
    link: Weak<SimulatedLink>,
) {
    while let Some((due_at, destination, message)) = leaving.recv().await {
        sleep_until(due_at).await;
        loop {
            let healed = network.healed.notified();
            if !network.state().machines[machine].is_cut {
                break;
            }
            healed.await;
        }
        if let Some(link) = link.upgrade() {
            link.state().waiting -= 1;
        }
        if !network.state().machines[machine].has_crashed {
            network.receive(&namespace, &destination, &message);
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("delays", &self.delays).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClusterBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBroker").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimulatedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SimulatedLink { machine, namespace, .. } = self;
        f.debug_struct("SimulatedLink").field("machine", machine).field("namespace", namespace).finish_non_exhaustive()
    }
}
