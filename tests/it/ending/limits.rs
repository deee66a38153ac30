//! The limits of connections whose client is gone and of which messages are still to begin.

use std::sync::Arc;
use std::time::Duration;

use portcullis::{Endpoint, Limits};

use super::{State, Workshop, message, office_with, open};
use crate::common::limits::without_heartbeat;

fn office(max_lingering: usize) -> (Arc<State>, Endpoint<Workshop>) {
    office_with(Limits { action_timeout: Duration::from_secs(5), max_lingering, ..without_heartbeat() })
}

/// Opens a connection of user `id` that runs one action and has read another message, and ends it.
async fn leave_behind(state: &State, office: &Endpoint<Workshop>, id: u32, name: u32) {
    let mut client = open(office, id).await;
    client.send(message("wait", &format!("action {name}")));
    client.send(message("note", &format!("message {name}")));
    state.started(1).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets all actions end, and returns the names of the messages that have begun.
async fn begun(state: &State, connections: u32) -> Vec<String> {
    state.resume(connections as usize);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let log = state.log();
    let ended = |entry: &&String| entry.ends_with(" ends");
    assert_eq!(log.iter().filter(ended).count(), connections as usize, "every body runs on: {log:?}");
    let mut begun: Vec<String> = log.into_iter().filter(|entry| entry.starts_with("message")).collect();
    begun.sort();
    begun
}

#[tokio::test(start_paused = true)]
async fn oldest_of_a_user_begins_nothing_more() {
    let (state, office) = office(1024);
    leave_behind(&state, &office, 2, 0).await;
    for name in 1..=9 {
        leave_behind(&state, &office, 1, name).await;
    }
    let others = [0, 2, 3, 4, 5, 6, 7, 8, 9].map(|name| format!("message {name}"));
    assert_eq!(begun(&state, 10).await, others);
}

#[tokio::test(start_paused = true)]
async fn oldest_of_all_begins_nothing_more() {
    let (state, office) = office(2);
    for user in 1..=3 {
        leave_behind(&state, &office, user, user).await;
    }
    assert_eq!(begun(&state, 3).await, ["message 2", "message 3"]);
}
