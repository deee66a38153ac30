//! Leases, acknowledgements and gaps, with links that are cut, on a clock of the tests.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use tokio::time::sleep;

use super::super::lease::{LEASE, MAX_SILENCE};
use super::super::network::Network;
use super::super::propagation::Propagation;
use super::super::sent_change::SentChange;
use super::super::{ClusterBroker, GroupId, Target};
use super::*;
use crate::broker::{GroupUser, PartitionSet, Undeliverable};

mod events;
mod presence;

/// Records what a node calls.
#[derive(Default)]
struct Recorder {
    /// The changes with the times at which they were applied.
    applied: Mutex<Vec<(Instant, String)>>,
    delivered: Mutex<Vec<Vec<u8>>>,
    /// Whether the link was up, after each change of that.
    links: Mutex<Vec<bool>>,
    /// The partitions of each gap.
    missed: Mutex<Vec<PartitionSet>>,
    /// The users whose connections elsewhere have changed, per call.
    users: Mutex<Vec<Vec<String>>>,
    /// Keeps changes from taking effect while it is set.
    is_held: AtomicBool,
    held: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl ClusterEndpoint for Recorder {
    fn deliver(&self, message: &EventMessage<'_>) -> Result<(), Undeliverable> {
        if message.event != "Said" {
            return Err(Undeliverable::UnknownType);
        }
        self.delivered.lock().unwrap().push(message.body.to_vec());
        Ok(())
    }

    fn apply(self: Arc<Self>, change: &ChangeMessage<'_>, done: Box<dyn FnOnce() + Send>) {
        self.applied.lock().unwrap().push((Instant::now(), format!("{change:?}")));
        if self.is_held.load(Ordering::SeqCst) {
            self.held.lock().unwrap().push(done);
        } else {
            done();
        }
    }

    fn link_changed(&self, is_connected: bool) {
        self.links.lock().unwrap().push(is_connected);
    }

    fn missed(self: Arc<Self>, partitions: PartitionSet) {
        self.missed.lock().unwrap().push(partitions);
    }

    fn missed_unknown(self: Arc<Self>, partitions: PartitionSet) {
        self.missed(partitions);
    }

    fn close_all(&self) {}

    fn shares_presence(&self) -> bool {
        true
    }

    fn has_equal_group(&self, name: &str, fingerprint: u64) -> bool {
        name != "Room" || fingerprint == 1
    }

    fn presence_changed(&self, users: BTreeSet<GroupUser>) {
        let users = users.into_iter().map(|(_, user_id)| user_id.to_string());
        self.users.lock().unwrap().push(users.collect());
    }

    fn upkeep(&self) {}
}

impl Recorder {
    /// Returns the times at which everything was evaluated anew.
    fn evaluations(&self) -> Vec<Instant> {
        self.applied.lock().unwrap().iter().filter(|(_, change)| change == "All").map(|(time, _)| *time).collect()
    }

    fn delivered(&self) -> usize {
        self.delivered.lock().unwrap().len()
    }
}

struct Machine {
    node: Arc<Node>,
    recorder: Arc<Recorder>,
}

/// A network without delays, and the number of machines that were started in it.
struct TestNetwork {
    network: Arc<Network>,
    started: AtomicUsize,
}

fn network() -> TestNetwork {
    TestNetwork { network: Arc::new(Network::without_delays(4)), started: AtomicUsize::new(0) }
}

impl TestNetwork {
    fn partition(&self, machine: usize) {
        self.network.partition(machine);
    }

    fn heal(&self, machine: usize) {
        self.network.heal(machine);
    }
}

/// Starts the next machine of a network.
fn machine(network: &TestNetwork, key: Option<&[u8]>) -> Machine {
    let broker = ClusterBroker::new(&network.network, network.started.fetch_add(1, Ordering::SeqCst));
    let recorder = Arc::new(Recorder::default());
    let endpoint: Weak<Recorder> = Arc::downgrade(&recorder);
    let key = key.map(|secret| ClusterKey::new(secret).unwrap());
    Machine { node: Node::start(&broker, "Chat", key, false, endpoint).unwrap(), recorder }
}

fn event(name: &'static str) -> EventMessage<'static> {
    let target = Target::User("7");
    EventMessage { target, publication: None, except: None, event: name, fingerprint: 1, body: b"[]", position: None }
}

fn gaps(machine: &Machine) -> u64 {
    let gaps = machine.node.counters.gaps.load(Ordering::Relaxed);
    assert_eq!(gaps, machine.recorder.missed.lock().unwrap().len() as u64);
    gaps
}

/// Publishes an event to user 7.
fn publish(machine: &Machine, name: &'static str) {
    machine.node.publish_event(Partition::of_user("7"), &event(name));
}

async fn refresh(machine: &Machine) -> Propagation {
    SentChange::new(&machine.node, &ChangeMessage::Role("staff")).wait().await
}

/// Lets all that is under way arrive.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn connected_machine_keeps_its_lease() {
    let network = network();
    let one = machine(&network, None);
    settle().await;
    // What was evaluated before the first heartbeat was back may have missed a change.
    assert_eq!(one.recorder.evaluations().len(), 1);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(one.recorder.evaluations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn machine_that_is_cut_off_evaluates_everything_anew_once_per_lease_and_once_when_it_is_back() {
    let network = network();
    let one = machine(&network, None);
    sleep(Duration::from_secs(11)).await;
    network.partition(0);
    let cut_at = Instant::now();
    sleep(Duration::from_mins(1)).await;
    let evaluations = one.recorder.evaluations().split_off(1);
    assert!((9..=11).contains(&evaluations.len()), "{}", evaluations.len());
    assert!(evaluations[0] - cut_at <= LEASE + Duration::from_millis(11));
    assert!(evaluations.windows(2).all(|pair| pair[1] - pair[0] <= LEASE + Duration::from_millis(11)));
    network.heal(0);
    settle().await;
    let count = one.recorder.evaluations().len();
    assert_eq!(count, evaluations.len() + 2);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(one.recorder.evaluations().len(), count);
}

#[tokio::test(start_paused = true)]
async fn missed_change_holds_after_safe_after() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    network.partition(1);
    let began_at = Instant::now();
    let Propagation::Incomplete { missing, safe_after: Some(safe_after), .. } = refresh(&one).await else { panic!() };
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), [other.node.machine]);
    assert_eq!(Instant::now() + safe_after, began_at + MAX_SILENCE);
    sleep(safe_after).await;
    let evaluations = other.recorder.evaluations();
    assert!(evaluations.iter().any(|time| *time >= began_at), "{began_at:?} {evaluations:?}");
}

#[tokio::test(start_paused = true)]
async fn change_is_acknowledged_when_it_has_taken_effect_everywhere() {
    let network = network();
    let machines = [(); 3].map(|()| machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    assert!(matches!(refresh(&machines[0]).await, Propagation::Acknowledged { by } if by.len() == 2));
    machines[1].recorder.is_held.store(true, Ordering::SeqCst);
    assert!(
        matches!(refresh(&machines[0]).await, Propagation::Incomplete { by, missing, .. } if (by.len(), missing.len()) == (1, 1))
    );
    let node = machines[0].node.clone();
    let waits = tokio::spawn(async move { SentChange::new(&node, &ChangeMessage::All).wait().await });
    settle().await;
    assert!(!waits.is_finished());
    let held = std::mem::take(&mut *machines[1].recorder.held.lock().unwrap());
    for done in held {
        done();
    }
    assert!(matches!(waits.await.unwrap(), Propagation::Acknowledged { .. }));
}

#[tokio::test(start_paused = true)]
async fn change_while_the_link_is_down_is_local_only() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    network.partition(0);
    assert_eq!(refresh(&one).await, Propagation::LocalOnly {});
    network.heal(0);
    settle().await;
    // What waited is passed on.
    assert!(other.recorder.applied.lock().unwrap().iter().any(|(_, change)| change.contains("staff")));
}

#[tokio::test(start_paused = true)]
async fn machine_that_has_just_connected_knows_that_it_does_not_know_all() {
    let network = network();
    let one = machine(&network, None);
    settle().await;
    let began_at = Instant::now();
    let Propagation::Incomplete { missing, safe_after: Some(safe_after), .. } = refresh(&one).await else { panic!() };
    assert_eq!((missing.len(), Instant::now() + safe_after), (0, began_at + MAX_SILENCE));
    sleep(safe_after).await;
    assert!(matches!(refresh(&one).await, Propagation::Acknowledged { by } if by.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn missed_disconnect_has_no_safe_after() {
    let network = network();
    let (one, _other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    network.partition(1);
    let change = ChangeMessage::DisconnectUser { user_id: "7", keep: None };
    let spread = SentChange::new(&one.node, &change).wait().await;
    assert!(matches!(spread, Propagation::Incomplete { safe_after: None, .. }), "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn departed_machine_is_not_waited_for_and_crashed_machine_is_for_max_silence() {
    let network = network();
    let (one, departs, crashes) = (machine(&network, None), machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    drop(departs);
    settle().await;
    network.partition(2);
    assert!(matches!(refresh(&one).await, Propagation::Incomplete { missing, .. } if missing.len() == 1));
    drop(crashes);
    sleep(MAX_SILENCE + HEARTBEAT_INTERVAL).await;
    assert!(matches!(refresh(&one).await, Propagation::Acknowledged { by } if by.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn message_without_the_key_has_no_effect() {
    let network = network();
    let keys: [Option<&[u8]>; 4] = [Some(&[1; 32]), Some(&[1; 32]), Some(&[2; 32]), None];
    let machines = keys.map(|key| machine(&network, key));
    let holds: Vec<_> = machines.iter().map(|machine| machine.node.hold(Partition::of_user("7"))).collect();
    for hold in &holds {
        hold.subscribed().await;
    }
    for publisher in &machines[1..] {
        publish(publisher, "Said");
        let _ = refresh(publisher).await;
    }
    assert_eq!(machines[0].recorder.delivered(), 1);
    let applied = machines[0].recorder.applied.lock().unwrap().clone();
    assert_eq!(applied.iter().filter(|(_, change)| change.contains("staff")).count(), 1);
    assert!(machines[0].node.counters.unreadable.load(Ordering::Relaxed) >= 4);
    assert_eq!(machines[3].recorder.delivered(), 0);
    assert_eq!(machines[0].node.peer_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn machine_that_has_drained_is_not_waited_for() {
    let network = network();
    let (one, drained) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    let began_at = Instant::now();
    drained.node.depart().await;
    assert!(began_at.elapsed() < DEPARTURE_TIMEOUT, "the broker has passed it on");
    // It may still publish, for example for a request that runs.
    let hold = one.node.hold(Partition::of_user("7"));
    hold.subscribed().await;
    publish(&drained, "Said");
    assert!(!matches!(refresh(&drained).await, Propagation::LocalOnly {}));
    assert_eq!((one.recorder.delivered(), one.recorder.applied.lock().unwrap().len()), (1, 2));
    sleep(Duration::from_secs(5)).await;
    network.partition(1);
    assert!(matches!(refresh(&one).await, Propagation::Acknowledged { by } if by.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn machine_that_starts_without_the_broker_evaluates_everything_anew_when_it_is_there() {
    let network = network();
    let one = machine(&network, None);
    network.partition(0);
    sleep(Duration::from_secs(20)).await;
    let before = one.recorder.evaluations().len();
    assert!(before >= 3);
    network.heal(0);
    settle().await;
    assert_eq!(one.recorder.evaluations().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn machine_that_comes_back_during_a_change_is_waited_for() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    network.partition(1);
    sleep(Duration::from_secs(30)).await;
    assert!(matches!(refresh(&one).await, Propagation::Acknowledged { by } if by.is_empty()));
    network.heal(1);
    // Its heartbeat is on the way to the first machine, and comes before the change that is sent now.
    sleep(Duration::from_micros(1)).await;
    other.recorder.is_held.store(true, Ordering::SeqCst);
    let spread = refresh(&one).await;
    assert!(matches!(spread, Propagation::Incomplete { ref missing, .. } if missing.len() == 1), "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn control_message_that_cannot_be_read_counts_as_a_missed_change() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(21)).await;
    let before = other.recorder.evaluations().len();
    // Of a newer version, for example.
    one.node.publish(Channel::Control, &[200], |_| ());
    sleep(2 * HEARTBEAT_INTERVAL).await;
    assert_eq!(other.recorder.evaluations().len(), before + 1);
    assert_eq!(other.node.counters.unreadable.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn join_does_not_wait_while_the_link_is_down() {
    let network = network();
    let one = machine(&network, None);
    sleep(Duration::from_secs(21)).await;
    network.partition(0);
    settle().await;
    let began_at = Instant::now();
    let hold = one.node.hold(Partition::of_user("7"));
    hold.subscribed().await;
    assert_eq!(began_at, Instant::now());
    network.heal(0);
    settle().await;
    assert_eq!(gaps(&one), 1);
}
