//! The list and the announcements against a plain oracle, over random joins, departures, revocations and ends of connections.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::common::rng::Rng;

const TEAMS: [&str; 3] = ["red", "blue", "green"];
const ROOMS: [u32; 2] = [1, 2];
/// Users that stay in all rooms: one sees everyone, and the others a team each.
const OBSERVERS: [(u32, &[&str]); 4] =
    [(100, &["none", "staff"]), (101, &["red"]), (102, &["blue"]), (103, &["green"])];

/// One connection: its client, its user and team, and the rooms that it is a member of, each with the number of its join.
struct Connection {
    client: Client,
    user: u32,
    team: &'static str,
    rooms: BTreeMap<u32, usize>,
}

/// Returns what a viewer sees of a room: the users that its team shows by their first connection, or all if it is staff.
fn expected(connections: &[Connection], viewer_roles: &[&str], room: u32) -> BTreeMap<String, usize> {
    let mut users: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
    for connection in connections {
        if let Some(number) = connection.rooms.get(&room) {
            users.entry(connection.user.to_string()).or_default().push((*number, connection.team));
        }
    }
    let is_visible = |joins: &[(usize, &str)]| {
        viewer_roles.contains(&"staff") || joins.iter().min().is_some_and(|(_, team)| *team == viewer_roles[0])
    };
    users.into_iter().filter(|(_, joins)| is_visible(joins)).map(|(user, joins)| (user, joins.len())).collect()
}

#[tokio::test(start_paused = true)]
async fn list_and_announcements_equal_a_plain_oracle_after_every_random_change() {
    for seed in 1..=20 {
        run(seed).await;
    }
}

/// Each observer applies the announcements to its first list, and what it has then always equals a new list.
async fn run(seed: u64) {
    let (office, outsiders) = office(without_timeouts());
    let mut connections = Vec::new();
    for (user, roles) in OBSERVERS {
        let mut client = open(&office, user, roles).await;
        for room in ROOMS {
            assert_eq!(client.call("enter").with("room", room).await.status(), 200);
        }
        connections.push(Connection { client, user, team: roles[0], rooms: ROOMS.map(|room| (room, 0)).into() });
    }
    let first_list = |roles, room| expected(&connections, roles, room).into_keys().collect::<BTreeSet<_>>();
    let mut lists = OBSERVERS.map(|(_, roles)| ROOMS.map(|room| first_list(roles, room)));
    let mut rng = Rng(seed);
    for step in 1..=60 {
        change(&mut rng, &office, &outsiders, &mut connections, step).await;
        for (index, ((_, roles), lists)) in OBSERVERS.iter().zip(&mut lists).enumerate() {
            // The clock stands still until all tasks are idle, so that ends of connections have taken effect.
            while let Ok(event) = timeout(Duration::from_millis(1), connections[index].client.event()).await {
                let (group, user) = (event.value()["group"].as_str().unwrap(), event.data()["user"].as_str().unwrap());
                let lists = &mut lists[usize::from(group == "rooms/2")];
                if event.data()["online"] == true {
                    lists.insert(user.to_owned());
                } else {
                    lists.remove(user);
                }
            }
            for (room, lists) in ROOMS.into_iter().zip(lists) {
                let expected = expected(&connections, roles, room);
                assert_eq!(*lists, expected.keys().cloned().collect(), "{seed} {step} {roles:?}");
                let client = &mut connections[index].client;
                let reply = client.call("online").with("room", room).await;
                let listed = reply.data().as_array().unwrap().iter().map(|user| {
                    let connections = usize::try_from(user["connections"].as_u64().unwrap()).unwrap();
                    (user["user"].as_str().unwrap().to_owned(), connections)
                });
                assert_eq!(listed.collect::<BTreeMap<_, _>>(), expected, "{seed} {step} {roles:?}");
                assert_eq!(client.call("count").with("room", room).await.data(), expected.len(), "{seed} {step}");
            }
        }
    }
}

/// Makes one random change, and records what it does to the memberships. The observers are not concerned.
async fn change(
    rng: &mut Rng,
    office: &Endpoint<Premises>,
    outsiders: &Outsiders,
    connections: &mut Vec<Connection>,
    step: usize,
) {
    let (user, room) = (rng.below(6_u32), ROOMS[rng.below(2_usize)]);
    let is_invited = |user: u32| !outsiders.lock().unwrap().contains(&user);
    let publisher = office.publisher();
    let random_index =
        (connections.len() > OBSERVERS.len()).then(|| OBSERVERS.len() + rng.below(connections.len() - OBSERVERS.len()));
    match (rng.below(9_u32), random_index) {
        (0, _) => {
            let team = TEAMS[rng.below(TEAMS.len())];
            let client = open(office, user, &[team]).await;
            connections.push(Connection { client, user, team, rooms: BTreeMap::new() });
        }
        (1, Some(index)) => {
            // Half of the ends have no close frame.
            let connection = connections.swap_remove(index);
            if rng.below(2_u32) == 0 {
                connection.client.close().await;
            }
        }
        (2, _) => {
            if !outsiders.lock().unwrap().insert(user) {
                outsiders.lock().unwrap().remove(&user);
            }
            assert!(office.connections().refresh_user(&user.to_string()).revalidated().await.is_acknowledged());
            if !is_invited(user) {
                of_user(connections, user).for_each(|connection| connection.rooms.clear());
            }
        }
        (3, _) => {
            // Of several connections, it is open which one joins first.
            if of_user(connections, user).filter(|connection| !connection.rooms.contains_key(&room)).count() > 1 {
                return;
            }
            let joined = publisher.join(&user.to_string(), Room(room)).await;
            let invited: Vec<_> = of_user(connections, user).filter(|_| is_invited(user)).collect();
            assert_eq!(joined, invited.len());
            for connection in invited {
                connection.rooms.entry(room).or_insert(step);
            }
        }
        (4, _) => {
            publisher.leave(&user.to_string(), &Room(room));
            of_user(connections, user).for_each(|connection| _ = connection.rooms.remove(&room));
        }
        (5, Some(index)) => {
            let Connection { client, user, team, .. } = &mut connections[index];
            *team = ["red", "blue"][rng.below(2_usize)];
            let login = client.call("authenticate").with("id", *user).with("is_blue", *team == "blue");
            assert_eq!(login.await.status(), 204);
        }
        (change @ 6..=8, Some(index)) => {
            let connection = &mut connections[index];
            let action = ["exit", "enter", "watch"][change as usize - 6];
            let reply = connection.client.call(action).with("room", room).request_id(room).await;
            let is_refused = action != "exit" && !is_invited(connection.user);
            assert_eq!(reply.status(), if is_refused { 403 } else { 200 });
            match action {
                "exit" => _ = connection.rooms.remove(&room),
                _ if is_refused => {}
                _ => _ = connection.rooms.entry(room).or_insert(step),
            }
        }
        _ => {}
    }
}

fn of_user(connections: &mut [Connection], user: u32) -> impl Iterator<Item = &mut Connection> {
    connections.iter_mut().filter(move |connection| connection.user == user)
}
