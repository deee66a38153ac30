//! What nodes know of the users that are connected to others.

use super::*;

fn room() -> GroupId {
    GroupId { name: "Room".into(), fingerprint: 1, key: b"[1]".as_slice().into() }
}

fn partition() -> Partition {
    Partition::of_group("Room", b"[1]")
}

/// Holds the partition of the room, and waits for the users of the other machines.
async fn hold(machine: &Machine) -> PartitionHold {
    let hold = machine.node.hold(partition());
    hold.subscribed().await;
    hold.wait_for_users().await;
    hold
}

/// Two machines that know each other and hold the partition of the room.
struct Pair {
    network: TestNetwork,
    machines: [Machine; 2],
    holds: [PartitionHold; 2],
}

async fn pair() -> Pair {
    let network = network();
    let machines = [(); 2].map(|()| machine(&network, None));
    sleep(Duration::from_secs(5)).await;
    let holds = [hold(&machines[0]).await, hold(&machines[1]).await];
    Pair { network, machines, holds }
}

fn set(hold: &PartitionHold, user: &str, connections: usize) {
    hold.record_user(&room(), &user.into(), connections);
    hold.publish_users();
}

fn users(hold: &PartitionHold) -> Vec<(String, usize)> {
    hold.remote_users(&room()).into_iter().map(|(user, connections)| (user.to_string(), connections)).collect()
}

fn user(user: &str) -> Vec<(String, usize)> {
    vec![(user.to_owned(), 1)]
}

#[tokio::test(start_paused = true)]
async fn users_are_known_when_the_partition_is_held() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(5)).await;
    let first = hold(&one).await;
    set(&first, "7", 1);
    let began_at = Instant::now();
    let second = hold(&other).await;
    assert_eq!(users(&second), user("7"));
    assert!(began_at.elapsed() < Duration::from_millis(10));
    set(&first, "7", 2);
    set(&second, "8", 1);
    settle().await;
    assert_eq!(users(&second), [("7".to_owned(), 2)]);
    assert_eq!(users(&first), user("8"));
    set(&first, "7", 0);
    settle().await;
    assert_eq!(users(&second), []);
    let changes = other.recorder.users.lock().unwrap().clone();
    assert_eq!(changes, [["7"], ["7"], ["7"]]);
}

#[tokio::test(start_paused = true)]
async fn machine_that_does_not_answer_is_waited_for_once_and_for_a_second() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    sleep(Duration::from_secs(5)).await;
    network.network.crash(1);
    let began_at = Instant::now();
    let first = hold(&one).await;
    assert_eq!(began_at.elapsed(), Duration::from_secs(1));
    let began_at = Instant::now();
    first.wait_for_users().await;
    drop(hold(&one).await);
    assert_eq!(began_at.elapsed(), Duration::ZERO);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn users_of_a_machine_that_is_silent_are_gone_after_max_silence() {
    let Pair { network, machines: [_one, other], holds: [first, second] } = pair().await;
    set(&first, "7", 1);
    settle().await;
    network.network.crash(0);
    sleep(LEASE).await;
    assert_eq!(users(&second), user("7"));
    sleep(MAX_SILENCE).await;
    assert_eq!(users(&second), []);
    assert_eq!(other.recorder.users.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn users_of_a_machine_that_departs_are_gone_at_once() {
    let Pair { network: _network, machines: [one, _other], holds: [first, second] } = pair().await;
    set(&first, "7", 1);
    settle().await;
    one.node.depart().await;
    settle().await;
    assert_eq!(users(&second), []);
    // What was under way brings nothing back.
    set(&first, "8", 1);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(users(&second), []);
}

#[tokio::test(start_paused = true)]
async fn short_loss_of_the_link_keeps_users_and_repairs_what_was_missed() {
    let Pair { network, machines: [_one, other], holds: [first, second] } = pair().await;
    for user in ["7", "8"] {
        set(&first, user, 1);
    }
    settle().await;
    let changes = other.recorder.users.lock().unwrap().len();
    network.partition(1);
    set(&first, "7", 0);
    set(&first, "9", 1);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(users(&second), [user("7"), user("8")].concat());
    network.heal(1);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(users(&second), [user("8"), user("9")].concat());
    let changes = other.recorder.users.lock().unwrap().split_off(changes);
    assert_eq!(changes, [["7", "9"]], "a user that stays does not change");
}

#[tokio::test(start_paused = true)]
async fn users_are_gone_after_a_long_loss_of_the_link_and_come_back_with_it() {
    let Pair { network, machines: [_one, _other], holds: [first, second] } = pair().await;
    set(&first, "7", 1);
    set(&second, "8", 1);
    settle().await;
    network.partition(1);
    sleep(MAX_SILENCE + 2 * HEARTBEAT_INTERVAL).await;
    assert_eq!((users(&first), users(&second)), (vec![], vec![]));
    // Sent when the link is back.
    set(&second, "9", 1);
    network.heal(1);
    sleep(Duration::from_millis(20)).await;
    assert_eq!((users(&first), users(&second)), ([user("8"), user("9")].concat(), user("7")));
}

#[tokio::test(start_paused = true)]
async fn lost_message_that_none_follows_is_repaired_by_heartbeats() {
    let Pair { network: _network, machines: [one, _other], holds: [first, second] } = pair().await;
    first.record_user(&room(), &"7".into(), 1);
    drop(ignore_poison(one.node.presence.local[Channel::Partition(partition()).index()].lock()).take_unsent());
    sleep(3 * HEARTBEAT_INTERVAL).await;
    assert_eq!(users(&second), user("7"));
}

#[tokio::test(start_paused = true)]
async fn many_requests_have_few_answers() {
    let Pair { network: _network, machines: [_one, other], holds: [first, second] } = pair().await;
    set(&first, "7", 1);
    settle().await;
    let received = || other.node.counters.received.load(Ordering::Relaxed);
    let before = received();
    let partitions = vec![Channel::Partition(partition()).index()];
    for _ in 0..1000 {
        let partitions = partitions.clone();
        other.node.send_control(&ControlMessage::PresenceRequest { machine: None, partitions });
    }
    sleep(Duration::from_millis(300)).await;
    assert!((1..=4).contains(&(received() - before)), "{}", received() - before);
    assert_eq!(users(&second), user("7"));
}

#[tokio::test(start_paused = true)]
async fn group_of_another_fingerprint_is_ignored_and_counted() {
    let Pair { network: _network, machines: [_one, other], holds: [first, second] } = pair().await;
    let group = GroupId { fingerprint: 2, ..room() };
    first.record_user(&group, &"7".into(), 1);
    set(&first, "8", 1);
    settle().await;
    assert!(second.remote_users(&group).is_empty());
    assert_eq!(users(&second), user("8"));
    assert_eq!(other.node.counters.unknown.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn user_of_a_machine_with_another_key_is_not_known() {
    let network = network();
    let keys: [Option<&[u8]>; 4] = [Some(&[1; 32]), Some(&[2; 32]), None, Some(&[1; 32])];
    let machines = keys.map(|key| machine(&network, key));
    sleep(Duration::from_secs(5)).await;
    let mut holds = Vec::new();
    for machine in &machines {
        holds.push(hold(machine).await);
    }
    for (hold, id) in holds.iter().zip(["6", "7", "8", "9"]) {
        set(hold, id, 1);
    }
    sleep(Duration::from_secs(10)).await;
    let known: Vec<_> = holds.iter().map(users).collect();
    assert_eq!(known, [user("9"), vec![], vec![], user("6")]);
}
