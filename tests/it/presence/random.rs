//! The list against a plain oracle, over random joins, departures, revocations and ends of connections.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::common::rng::Rng;

const TEAMS: [&str; 3] = ["red", "blue", "green"];

/// One connection: its client, its user and whether it is a member of room 1.
struct Connection {
    client: Client,
    user: u32,
    is_member: bool,
}

fn roles(user: u32) -> Vec<&'static str> {
    let team = TEAMS[user as usize % TEAMS.len()];
    if user == 0 { vec![team, "staff"] } else { vec![team] }
}

/// Returns what the user sees: the members of its team, or everyone if it is staff.
fn expected(connections: &[Connection], viewer: u32) -> BTreeMap<String, usize> {
    let mut members = BTreeMap::new();
    let visible = connections.iter().filter(|connection| connection.is_member);
    for connection in visible.filter(|connection| viewer == 0 || roles(connection.user)[0] == roles(viewer)[0]) {
        *members.entry(connection.user.to_string()).or_default() += 1;
    }
    members
}

#[tokio::test(start_paused = true)]
async fn list_equals_a_plain_oracle_after_every_random_change() {
    for seed in 1..=20 {
        run(seed).await;
    }
}

async fn run(seed: u64) {
    let (office, outsiders) = office(without_timeouts());
    let (mut rng, mut connections) = (Rng(seed), Vec::<Connection>::new());
    for step in 0..60 {
        let user = rng.below(6_u32);
        match rng.below(6_u32) {
            0 => {
                let client = open(&office, user, &roles(user)).await;
                connections.push(Connection { client, user, is_member: false });
            }
            1 if !connections.is_empty() => {
                // Half of the ends have no close frame.
                let connection = connections.swap_remove(rng.below(connections.len()));
                if rng.below(2_u32) == 0 {
                    connection.client.close().await;
                }
            }
            2 => {
                if !outsiders.lock().unwrap().insert(user) {
                    outsiders.lock().unwrap().remove(&user);
                }
                assert!(office.connections().refresh_user(&user.to_string()).revalidated().await.is_acknowledged());
                let is_outsider = outsiders.lock().unwrap().contains(&user);
                let concerned = connections.iter_mut().filter(|connection| connection.user == user);
                concerned.for_each(|connection| connection.is_member &= !is_outsider);
            }
            change if !connections.is_empty() => {
                let index = rng.below(connections.len());
                let connection = &mut connections[index];
                let action = if change == 3 { "exit" } else { "enter" };
                let reply = connection.client.call(action).with("room", 1).await;
                let is_outsider = outsiders.lock().unwrap().contains(&connection.user);
                assert_eq!(reply.status(), if action == "enter" && is_outsider { 403 } else { 200 });
                connection.is_member = match action {
                    "exit" => false,
                    _ => !is_outsider,
                };
            }
            _ => {}
        }
        // The clock stands still until all tasks are idle, so that ends of connections have taken effect.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let viewer = rng.below(6_u32);
        let mut client = open(&office, viewer, &roles(viewer)).await;
        let expected = expected(&connections, viewer);
        let reply = client.call("online").with("room", 1).await;
        let listed: Vec<(String, usize)> = reply
            .data()
            .as_array()
            .unwrap()
            .iter()
            .map(|user| {
                (
                    user["user"].as_str().unwrap().to_owned(),
                    serde_json::from_value(user["connections"].clone()).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            listed,
            expected.iter().map(|(user, count)| (user.clone(), *count)).collect::<Vec<_>>(),
            "{seed} {step}"
        );
        assert_eq!(client.call("count").with("room", 1).await.data(), expected.len(), "{seed} {step}");
    }
}
