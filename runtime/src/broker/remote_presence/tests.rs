use super::super::local_presence::LocalPresence;
use super::super::machine_presence::{MAX_GROUP_USERS, REQUEST_INTERVAL};
use super::super::presence_message::Entries;
use super::*;

const PARTITION: usize = 5;
const MAX_SILENCE: Duration = Duration::from_secs(11);

fn room() -> GroupId {
    GroupId { name: "Room".into(), fingerprint: 7, key: b"[1]".as_slice().into() }
}

fn id(number: u8) -> MachineId {
    MachineId::from_bytes([number; 16])
}

/// A machine with its users, and what another machine knows of them.
struct Pair {
    local: LocalPresence,
    remote: RemotePresence,
    now: Instant,
}

impl Pair {
    fn new() -> Pair {
        let (mut remote, now) = (RemotePresence::new(), Instant::now());
        remote.begin(PARTITION, now);
        Pair { local: LocalPresence::default(), remote, now }
    }

    fn set(&mut self, user: &str, connections: u32) {
        self.local.set(&room(), &user.into(), connections);
    }

    fn receive(&mut self, messages: &[Vec<u8>]) -> Vec<(Vec<String>, bool)> {
        let receive = |message: &Vec<u8>| {
            let message = PresenceMessage::decode(message).unwrap();
            let Received { changed, is_incomplete } = self.remote.receive((PARTITION, id(1)), &message, self.now);
            (changed.into_iter().map(|(_, user)| user.to_string()).collect(), is_incomplete)
        };
        messages.iter().map(receive).collect()
    }

    fn users(&self) -> Vec<(String, usize)> {
        let users = self.remote.users(PARTITION, &room());
        users.into_iter().map(|(user, connections)| (user.to_string(), connections)).collect()
    }

    fn is_current(&self) -> bool {
        self.remote.is_current(PARTITION, &BTreeSet::from([id(1)]))
    }

    fn announce(&mut self) -> bool {
        self.remote.announce((PARTITION, id(1)), self.local.version(), self.now)
    }
}

fn changed(users: &[&str]) -> Vec<(Vec<String>, bool)> {
    vec![(users.iter().map(|user| (*user).to_owned()).collect(), false)]
}

#[test]
fn changes_follow_a_snapshot() {
    let mut pair = Pair::new();
    pair.set("7", 1);
    let snapshot = pair.local.snapshot();
    assert!(!pair.is_current());
    assert_eq!(pair.receive(&snapshot), changed(&["7"]));
    assert!(pair.is_current());
    pair.set("7", 2);
    pair.set("8", 1);
    let change = pair.local.take_unsent();
    assert_eq!(pair.receive(&change), changed(&["7", "8"]));
    assert_eq!(pair.receive(&change), changed(&[]), "repeated");
    assert_eq!(pair.receive(&snapshot), changed(&[]), "older");
    assert_eq!(pair.users(), [("7".to_owned(), 2), ("8".to_owned(), 1)]);
    pair.set("7", 0);
    let change = pair.local.take_unsent();
    assert_eq!(pair.receive(&change), changed(&["7"]));
    assert_eq!(pair.users(), [("8".to_owned(), 1)]);
}

#[test]
fn lost_change_is_repaired_by_a_snapshot_that_is_requested_once_a_second() {
    let mut pair = Pair::new();
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    pair.set("7", 1);
    drop(pair.local.take_unsent());
    pair.set("8", 1);
    let change = pair.local.take_unsent();
    assert_eq!(pair.receive(&change), [(Vec::new(), true)]);
    assert!(!pair.is_current());
    pair.set("9", 1);
    let change = pair.local.take_unsent();
    assert_eq!(pair.receive(&change), [(Vec::new(), false)]);
    pair.now += REQUEST_INTERVAL;
    pair.set("9", 2);
    let change = pair.local.take_unsent();
    assert_eq!(pair.receive(&change), [(Vec::new(), true)]);
    let snapshot = pair.local.snapshot();
    assert_eq!(pair.receive(&snapshot), changed(&["7", "8", "9"]));
    assert!(pair.is_current());
}

#[test]
fn lost_change_that_none_follows_is_noticed_by_the_second_heartbeat() {
    let mut pair = Pair::new();
    assert!(!pair.announce(), "no user has ever been there");
    assert!(pair.is_current());
    pair.set("7", 1);
    drop(pair.local.take_unsent());
    assert!(!pair.announce(), "it may be under way");
    assert!(pair.is_current());
    assert!(pair.announce());
    assert!(!pair.is_current());
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    assert!(!pair.announce() && pair.is_current());
}

#[test]
fn machine_that_is_not_known_is_asked_at_its_first_heartbeat() {
    let mut pair = Pair::new();
    pair.set("7", 1);
    drop(pair.local.take_unsent());
    assert!(pair.announce());
}

#[test]
fn snapshot_in_parts_takes_effect_as_a_whole() {
    let mut pair = Pair::new();
    pair.set("old", 1);
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    pair.set("old", 0);
    for user in 0..20_000 {
        pair.set(&format!("{user:0>40}"), 1);
    }
    let snapshot = pair.local.snapshot();
    let (last, first) = snapshot.split_last().unwrap();
    assert!(first.len() > 1);
    assert!(pair.receive(first).iter().all(|(changed, _)| changed.is_empty()));
    assert_eq!(pair.users(), [("old".to_owned(), 1)]);
    assert_eq!(pair.receive(std::slice::from_ref(last))[0].0.len(), 20_001);
    assert_eq!(pair.users().len(), 20_000);
    // Without one of the parts, nothing changes.
    pair.set("old", 1);
    let snapshot = pair.local.snapshot();
    assert!(pair.receive(&snapshot[..1]).iter().all(|(changed, _)| changed.is_empty()));
    assert_eq!(pair.receive(&snapshot[2..3]), [(Vec::new(), true)]);
    assert!(pair.receive(&snapshot[3..]).iter().all(|(changed, _)| changed.is_empty()));
    assert_eq!(pair.users().len(), 20_000);
}

#[test]
fn user_of_two_machines_has_the_sum_of_their_connections() {
    let mut pair = Pair::new();
    pair.set("7", 2);
    for number in [1, 2] {
        let snapshot = &pair.local.snapshot()[0];
        pair.remote.receive((PARTITION, id(number)), &PresenceMessage::decode(snapshot).unwrap(), pair.now);
    }
    assert_eq!(pair.remote.connections(PARTITION, &room(), "7"), 4);
    assert_eq!(pair.remote.forget(id(1)).len(), 1);
    assert_eq!(pair.remote.connections(PARTITION, &room(), "7"), 2);
}

#[test]
fn users_are_forgotten_when_nothing_confirms_them() {
    let mut pair = Pair::new();
    pair.set("7", 1);
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    pair.now += Duration::from_secs(10);
    pair.announce();
    pair.now += Duration::from_secs(10);
    assert!(pair.remote.expire(MAX_SILENCE, pair.now).is_empty());
    // Heartbeats that announce something else confirm nothing.
    pair.set("7", 0);
    drop(pair.local.take_unsent());
    pair.announce();
    pair.now += Duration::from_secs(1);
    assert_eq!(pair.remote.expire(MAX_SILENCE, pair.now).len(), 1);
    assert_eq!(pair.remote.bytes, 0);
    assert!(pair.announce(), "it is asked again");
}

#[test]
fn users_beyond_the_memory_are_left_out_until_there_is_room() {
    let mut pair = Pair::new();
    pair.remote.max_bytes = 10 * 1024;
    for user in 0..100 {
        pair.set(&user.to_string(), 1);
    }
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    assert!(pair.remote.is_truncated(PARTITION) && pair.remote.bytes <= pair.remote.max_bytes + GROUP_BYTES);
    assert!(!pair.users().is_empty() && pair.users().len() < 100);
    // Other machines and versions cannot take more either.
    for number in 0..100 {
        pair.remote.receive((PARTITION, id(number)), &PresenceMessage::decode(&snapshot[0]).unwrap(), pair.now);
        pair.remote.announce((PARTITION, id(number)), 1, pair.now);
    }
    assert!(pair.remote.bytes <= pair.remote.max_bytes + GROUP_BYTES, "{}", pair.remote.bytes);
    for number in 0..100 {
        pair.remote.forget(id(number));
    }
    assert_eq!(pair.remote.bytes, 0);
    pair.remote.max_bytes = MAX_BYTES;
    pair.receive(&snapshot);
    assert!(!pair.remote.is_truncated(PARTITION) && pair.users().len() == 100);
}

#[test]
fn users_that_had_no_room_are_asked_for_once_per_minute() {
    let (mut pair, mut now) = (Pair::new(), Instant::now());
    pair.remote.max_bytes = 10 * 1024;
    for user in 0..100 {
        pair.set(&user.to_string(), 1);
    }
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    let machine = *pair.remote.machines.keys().next().unwrap();
    let version = pair.remote.machines[&machine].version.unwrap();
    pair.remote.max_bytes = MAX_BYTES;
    let mut asked = 0;
    for _ in 0..90 {
        now += Duration::from_secs(2);
        asked += usize::from(pair.remote.announce(machine, version, now));
    }
    assert!((3..=4).contains(&asked), "{asked} requests in three minutes");
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    assert!(!pair.remote.is_truncated(PARTITION) && pair.users().len() == 100);
    assert!(!pair.remote.announce(machine, version, now + Duration::from_mins(5)));
}

#[test]
fn snapshot_that_repairs_has_the_room_of_what_it_replaces() {
    let mut pair = Pair::new();
    for user in 0..100 {
        pair.set(&user.to_string(), 1);
    }
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    pair.remote.max_bytes = pair.remote.bytes + 1024;
    // A lost change, after which all are sent.
    pair.set("100", 1);
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    assert!(!pair.remote.is_truncated(PARTITION) && pair.users().len() == 101);
}

#[test]
fn users_of_one_group_are_bounded() {
    let mut pair = Pair::new();
    let users: Vec<String> = (0..=MAX_GROUP_USERS).map(|user| user.to_string()).collect();
    for user in &users {
        pair.set(user, 1);
    }
    let snapshot = pair.local.snapshot();
    pair.receive(&snapshot);
    assert!(pair.users().len() == MAX_GROUP_USERS && pair.remote.is_truncated(PARTITION));
}

#[test]
fn group_with_a_key_that_is_too_large_is_left_out() {
    let (mut pair, large) = (Pair::new(), vec![b'k'; 100_000]);
    let group = GroupId { name: "Room".into(), fingerprint: 7, key: large.into() };
    pair.local.set(&group, &"7".into(), 1);
    assert!(pair.local.take_unsent().is_empty(), "no correct machine sends it");
    let snapshot = PresenceMessage::encode_snapshot(1, Entries::encode([(&group, "7", 1)]));
    pair.receive(&snapshot);
    assert!(pair.remote.users(PARTITION, &group).is_empty() && pair.remote.is_truncated(PARTITION));
}
