//! The list and the announcements against a plain oracle, over random joins, departures, revocations and ends of connections.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::common::rng::Rng;

const TEAMS: [&str; 3] = ["red", "blue", "green"];
const ROOMS: [u32; 2] = [1, 2];
/// The user that stays in all rooms and sees everyone.
const WATCHER: u32 = 100;

/// One connection: its client, its user and the rooms that it is a member of.
struct Connection {
    client: Client,
    user: u32,
    rooms: BTreeSet<u32>,
}

fn roles(user: u32) -> Vec<&'static str> {
    match user {
        WATCHER => vec!["none", "staff"],
        0 => vec!["red", "staff"],
        user => vec![TEAMS[user as usize % TEAMS.len()]],
    }
}

/// Returns what the user sees of a room: the members of its team, or everyone if it is staff.
fn expected(connections: &[Connection], viewer: u32, room: u32) -> BTreeMap<String, usize> {
    let (mut members, viewer_roles) = (BTreeMap::new(), roles(viewer));
    for connection in connections.iter().filter(|connection| connection.rooms.contains(&room)) {
        if viewer_roles.contains(&"staff") || roles(connection.user)[0] == viewer_roles[0] {
            *members.entry(connection.user.to_string()).or_default() += 1;
        }
    }
    members
}

#[tokio::test(start_paused = true)]
async fn list_and_announcements_equal_a_plain_oracle_after_every_random_change() {
    for seed in 1..=20 {
        run(seed).await;
    }
}

async fn run(seed: u64) {
    let (office, outsiders) = office(without_timeouts());
    let mut watcher = open(&office, WATCHER, &roles(WATCHER)).await;
    for room in ROOMS {
        assert_eq!(watcher.call("enter").with("room", room).await.status(), 200);
    }
    let mut connections = vec![Connection { client: watcher, user: WATCHER, rooms: BTreeSet::from(ROOMS) }];
    let (mut rng, mut announced) = (Rng(seed), ROOMS.map(|_| BTreeSet::new()));
    for step in 0..60 {
        change(&mut rng, &office, &outsiders, &mut connections).await;
        // The clock stands still until all tasks are idle, so that ends of connections have taken effect.
        while let Ok(event) = timeout(Duration::from_millis(1), connections[0].client.event()).await {
            let (group, user) = (event.value()["group"].as_str().unwrap(), event.data()["user"].as_str().unwrap());
            let announced = &mut announced[usize::from(group == "rooms/2")];
            let is_online = event.data()["online"] == true;
            assert!(
                if is_online { announced.insert(user.to_owned()) } else { announced.remove(user) },
                "{seed} {step}"
            );
        }
        let viewer = rng.below(6_u32);
        let mut client = open(&office, viewer, &roles(viewer)).await;
        for (room, announced) in ROOMS.into_iter().zip(&announced) {
            let mut all: BTreeSet<String> = expected(&connections, WATCHER, room).into_keys().collect();
            all.remove(&WATCHER.to_string());
            assert_eq!(*announced, all, "{seed} {step}");
            let reply = client.call("online").with("room", room).await;
            let listed = reply.data().as_array().unwrap().iter().map(|user| {
                let connections = usize::try_from(user["connections"].as_u64().unwrap()).unwrap();
                (user["user"].as_str().unwrap().to_owned(), connections)
            });
            let expected = expected(&connections, viewer, room);
            assert_eq!(listed.collect::<Vec<_>>(), expected.clone().into_iter().collect::<Vec<_>>(), "{seed} {step}");
            assert_eq!(client.call("count").with("room", room).await.data(), expected.len(), "{seed} {step}");
        }
        drop(client);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Makes one random change, and records what it does to the memberships. The watcher is not concerned.
async fn change(rng: &mut Rng, office: &Endpoint<Premises>, outsiders: &Outsiders, connections: &mut Vec<Connection>) {
    let (user, room) = (rng.below(6_u32), ROOMS[rng.below(2_usize)]);
    let is_invited = |user: u32| !outsiders.lock().unwrap().contains(&user);
    let publisher = office.publisher();
    match rng.below(8_u32) {
        0 => {
            let client = open(office, user, &roles(user)).await;
            connections.push(Connection { client, user, rooms: BTreeSet::new() });
        }
        1 if connections.len() > 1 => {
            // Half of the ends have no close frame.
            let connection = connections.swap_remove(1 + rng.below(connections.len() - 1));
            if rng.below(2_u32) == 0 {
                connection.client.close().await;
            }
        }
        2 => {
            if !outsiders.lock().unwrap().insert(user) {
                outsiders.lock().unwrap().remove(&user);
            }
            assert!(office.connections().refresh_user(&user.to_string()).revalidated().await.is_acknowledged());
            if !is_invited(user) {
                of_user(connections, user).for_each(|connection| connection.rooms.clear());
            }
        }
        3 => {
            let joined = publisher.join(&user.to_string(), Room(room)).await;
            let invited: Vec<_> = of_user(connections, user).filter(|_| is_invited(user)).collect();
            assert_eq!(joined, invited.len());
            for connection in invited {
                connection.rooms.insert(room);
            }
        }
        4 => {
            publisher.leave(&user.to_string(), &Room(room));
            of_user(connections, user).for_each(|connection| _ = connection.rooms.remove(&room));
        }
        change if connections.len() > 1 => {
            let index = 1 + rng.below(connections.len() - 1);
            let connection = &mut connections[index];
            let action = ["exit", "enter", "watch"][change as usize - 5];
            let reply = connection.client.call(action).with("room", room).request_id(room).await;
            let is_refused = action != "exit" && !is_invited(connection.user);
            assert_eq!(reply.status(), if is_refused { 403 } else { 200 });
            match action {
                "exit" => _ = connection.rooms.remove(&room),
                _ if is_refused => {}
                _ => _ = connection.rooms.insert(room),
            }
        }
        _ => {}
    }
}

fn of_user(connections: &mut [Connection], user: u32) -> impl Iterator<Item = &mut Connection> {
    connections.iter_mut().filter(move |connection| connection.user == user)
}
