//! A list and the events that follow it, while others come and go at the same time on other threads.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::common::rng::Rng;

/// Enters and leaves room 1 until `is_over`, by two connections, one of which closes now and then. Returns whether the user is
/// a member at last, with the connections that keep it one.
async fn churn(office: Endpoint<Office>, id: u32, is_over: Arc<AtomicBool>) -> (u32, bool, Vec<Client>) {
    let mut rng = Rng(u64::from(id) + 1);
    let mut clients = vec![(open(&office, id, &["red"]).await, false), (open(&office, id, &["red"]).await, false)];
    while !is_over.load(Ordering::Relaxed) {
        let (client, is_member) = &mut clients[rng.below(2_usize)];
        match rng.below(5_u32) {
            0 => (*client, *is_member) = (open(&office, id, &["red"]).await, false),
            1 | 2 => {
                assert_eq!(client.call("exit").with("room", 1).await.status(), 200);
                *is_member = false;
            }
            _ => {
                assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
                *is_member = true;
            }
        }
        tokio::task::yield_now().await;
    }
    let is_member = clients.iter().any(|(_, is_member)| *is_member);
    (id, is_member, clients.into_iter().map(|(client, _)| client).collect())
}

/// Applies only what comes after the list.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn member_that_joins_and_then_lists_misses_no_change() {
    for round in 0..20 {
        let (office, _) = office(Limits { max_queued_events: 100_000, ..without_timeouts() });
        let is_over = Arc::new(AtomicBool::new(false));
        let churning: Vec<_> = (10..15).map(|id| tokio::spawn(churn(office.clone(), id, is_over.clone()))).collect();
        let mut viewer = open(&office, 1, &["red"]).await;
        assert_eq!(viewer.call("enter").with("room", 1).await.status(), 200);
        for _ in 0..round {
            viewer.call("ping").await;
        }
        let message = json!({"action": "online_later", "room": 1, "turns": 20 * round, "request_id": "list"});
        viewer.send(message.to_string());
        let list = loop {
            // Events before the reply are dropped: the list includes them, or they come again.
            let frame = viewer.reply().await;
            if frame.value()["request_id"] == "list" {
                break frame;
            }
        };
        let mut seen: BTreeSet<String> =
            list.data().as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect();
        assert!(seen.remove("1"), "the viewer itself");
        is_over.store(true, Ordering::Relaxed);
        let (mut expected, mut kept) = (BTreeSet::new(), Vec::new());
        for task in churning {
            let (id, is_member, clients) = task.await.unwrap();
            kept.push(clients);
            if is_member {
                expected.insert(id.to_string());
            }
        }
        while seen != expected {
            let next = timeout(Duration::from_secs(20), change(&mut viewer)).await;
            let Ok((user, is_online)) = next else { panic!("round {round}: seen {seen:?}, members {expected:?}") };
            if is_online {
                seen.insert(user)
            } else {
                seen.remove(&user)
            };
        }
    }
}
