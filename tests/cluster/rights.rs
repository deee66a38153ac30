//! Changes of rights between machines.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis::{ObjectKey, Propagation};

use super::brokers::with_each;
use super::*;

/// Checks that a change has been acknowledged by this number of other machines, as far as this machine can know: it has just
/// been started.
fn assert_answered_by(propagation: &Propagation, count: usize) {
    match propagation {
        Propagation::Acknowledged { by, .. } => assert_eq!(by.len(), count),
        Propagation::Incomplete { by, missing, .. } => assert_eq!((by.len(), missing.len()), (count, 0)),
        other => panic!("{other:?}"),
    }
}

/// Waits until a machine has heard of this number of others.
async fn wait_until_known(machine: &Endpoint<Service>, count: u64) {
    let known = async {
        while machine.snapshot().cluster.unwrap().other_machines < count {
            // A machine reports nothing when it hears of another one.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), known).await.expect("the machines do not hear each other");
}

#[tokio::test]
async fn refresh_user_holds_on_all_machines_when_it_completes() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        database.speakers.lock().unwrap().extend([2, 3]);
        let machines = [(); 3].map(|()| machine(&brokers, &database));
        wait_until_known(&machines[0], 2).await;
        let mut revoked = enter(&machines[1], 2, "5").await;
        let mut speaker = enter(&machines[2], 3, "5").await;
        assert_eq!(revoked.call("speak").await.status(), 200);
        machines[0].publisher().publish(&Room("5".to_owned()), Whispered("one".to_owned()));
        assert_eq!(text(&mut revoked).await, "one");
        database.speakers.lock().unwrap().remove(&2);
        assert_answered_by(&machines[0].connections().refresh_user("2").await, 2);
        assert_eq!(revoked.call("speak").await.status(), 403);
        machines[0].publisher().publish(&Room("5".to_owned()), Whispered("two".to_owned()));
        assert_eq!(texts(&mut speaker, 2).await, ["one", "two"]);
        expect_nothing_before_marker(&machines[0], &mut revoked, 2).await;
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_change_reaches_other_machines() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        wait_until_known(&one, 1).await;
        let mut client = enter(&other, 2, "5").await;
        for kind in 0..3 {
            database.banned.lock().unwrap().clear();
            assert_eq!(client.call("enter").with("room", "5").await.status(), 200);
            database.banned.lock().unwrap().insert(2);
            let connections = one.connections();
            let change = match kind {
                0 => connections.refresh_user("2"),
                1 => connections.refresh_users(["1", "2"]),
                _ => connections.refresh_all(),
            };
            assert_answered_by(&change.await, 1);
            // The event waits for the revalidation, which ends the membership.
            one.publisher().publish(&Room("5".to_owned()), said("not for 2"));
            expect_nothing_before_marker(&one, &mut client, 2).await;
        }
        database.moderators_speak.store(true, Ordering::SeqCst);
        let moderator = connect(&other).user(member(7, &["moderator"]));
        let mut moderator = moderator.open().await.unwrap();
        assert_eq!(moderator.call("speak_in").with("hall", 5).await.status(), 200);
        database.silent_halls.lock().unwrap().insert(5);
        assert_answered_by(&one.connections().refresh_object(&ObjectKey::new("hall", 5)).await, 1);
        assert_eq!(moderator.call("speak_in").with("hall", 5).await.status(), 403);
        assert_eq!(moderator.call("speak").await.status(), 200);
        database.moderators_speak.store(false, Ordering::SeqCst);
        assert_answered_by(&one.connections().refresh_role("moderator").await, 1);
        assert_eq!(moderator.call("speak").await.status(), 403);
    })
    .await;
}

#[tokio::test]
async fn disconnect_reaches_other_machines() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        wait_until_known(&one, 1).await;
        let (mut first, mut second) = (open(&other, 2).await, open(&other, 2).await);
        let (mut here, mut stranger) = (open(&one, 2).await, open(&other, 3).await);
        assert_eq!(second.call("id").await.status(), 200);
        let kept = database.last_id.lock().unwrap().unwrap();
        assert_answered_by(&one.connections().disconnect_others("2", kept).await, 1);
        assert_eq!((first.closed().await, here.closed().await), (4403, 4403));
        assert_eq!(second.call("id").await.status(), 200);
        assert_answered_by(&one.connections().disconnect(kept).await, 1);
        assert_eq!(second.closed().await, 4403);
        let mut third = open(&other, 2).await;
        assert_answered_by(&one.connections().disconnect_user("2").await, 1);
        assert_eq!(third.closed().await, 4403);
        assert_eq!(stranger.call("id").await.status(), 200);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn change_is_acknowledged_once_all_machines_are_known() {
    let brokers = Brokers::Memory(portcullis::MemoryBroker::new());
    let database: Arc<Database> = Arc::default();
    let machines = [(); 3].map(|()| machine(&brokers, &database));
    let Propagation::Incomplete { by, missing, safe_after, .. } = machines[0].connections().refresh_all().await else {
        panic!("there may be machines that it has not heard of");
    };
    assert_eq!((by.len(), missing.len()), (2, 0));
    tokio::time::sleep(safe_after.unwrap()).await;
    let Propagation::Acknowledged { by, .. } = machines[0].connections().refresh_all().await else {
        panic!("all machines are known");
    };
    assert_eq!(by.iter().collect::<HashSet<_>>().len(), 2);
}

#[tokio::test]
async fn change_that_is_reported_to_another_endpoint_of_the_cache_reaches_other_machines() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        database.speakers.lock().unwrap().insert(2);
        let cache = portcullis::GrantCache::new(Rights(database.clone()));
        // An endpoint of this machine without a broker, with the same cache as one that has a broker.
        let office = portcullis::websocket(Service(database.clone())).grants(cache.clone());
        let one = brokers.attach(portcullis::websocket(Service(database.clone())).grants(cache));
        let other = machine(&brokers, &database);
        wait_until_known(&one, 1).await;
        let mut revoked = open(&other, 2).await;
        assert_eq!(revoked.call("speak").await.status(), 200);
        database.speakers.lock().unwrap().remove(&2);
        assert_answered_by(&office.connections().refresh_user("2").await, 1);
        assert_eq!(revoked.call("speak").await.status(), 403);
    })
    .await;
}
