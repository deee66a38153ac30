//! The list and the announcements while other threads join and leave.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis::testing::Reply;

use super::*;
use crate::common::rng::Rng;

/// Enters and leaves room 1 until `is_over`, by two connections, one of which closes now and then. Returns whether the user is
/// a member at last, with the connections that keep it one.
async fn churn(office: Endpoint<Premises>, id: u32, is_over: Arc<AtomicBool>) -> (u32, bool, Vec<Client>) {
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

/// Applies announcements to the list from its request on.
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
        viewer.call("ping").await;
        let message = json!({"action": "online_later", "room": 1, "turns": 20 * round, "request_id": "list"});
        viewer.send(message.to_string());
        let mut changes = Vec::new();
        let list = loop {
            let frame = viewer.reply().await;
            if frame.value()["request_id"] == "list" {
                break frame;
            }
            changes.push(frame);
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
        // Each reply says that what its action caused has begun. The last user is announced after all before it.
        let _last = enter(&office, 99, &["red"]).await;
        changes.extend(changes_until(&mut viewer, "99").await);
        for change in changes {
            let (user, is_online) =
                (change.data()["user"].as_str().unwrap().to_owned(), change.data()["online"] == true);
            if is_online {
                seen.insert(user)
            } else {
                seen.remove(&user)
            };
        }
        assert!(seen.remove("99"));
        assert_eq!(seen, expected, "round {round}");
    }
}

/// Returns the events up to the one about this user.
async fn changes_until(viewer: &mut Client, user: &str) -> Vec<Reply> {
    let mut changes = Vec::new();
    loop {
        let change = viewer.event().await;
        let is_last = change.data()["user"] == user;
        changes.push(change);
        if is_last {
            return changes;
        }
    }
}

/// One connection is removed from the room and joined to it by its own actions and by the server at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn member_that_leaves_and_joins_at_the_same_time_is_listed_as_long_as_it_is_one() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut member = enter(&office, 2, &["red"]).await;
    for round in 0..500 {
        let publisher = office.publisher();
        let by_server = tokio::spawn(async move {
            publisher.leave("2", &Room(1));
            publisher.join("2", Room(1)).await;
        });
        assert_eq!(member.call("exit").with("room", 1).await.status(), 200);
        assert_eq!(member.call("enter").with("room", 1).await.status(), 200);
        by_server.await.unwrap();
        // Either may have removed it last.
        assert_eq!(member.call("enter").with("room", 1).await.status(), 200);
        assert_eq!(member.call("ping").await.status(), 200);
        let list = viewer.call("online").with("room", 1).await;
        let expected = json!([{"user": "1", "connections": 1}, {"user": "2", "connections": 1}]);
        assert_eq!(list.data(), &expected, "round {round}");
    }
}
