//! Loads of grants: bounded in number, shared by key, and in turn per user.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use portcullis::Limits;
use portcullis::testing::Client;
use tokio::time::{Instant, sleep};

use super::{Fixture, Lobby, Outcome, Uploaded, fixture};

const LOAD: Duration = Duration::from_millis(50);

/// Publishes one event after all grants were forgotten, and returns the number of loads and how many ran at once.
async fn loads_of_one_event(fixture: &Fixture, users: Vec<u32>) -> (usize, usize) {
    let mut clients = fixture.open_all(users).await;
    fixture.state.loads.set_delay(LOAD);
    assert!(fixture.endpoint.connections().refresh_all().revalidated().await.is_acknowledged());
    fixture.state.loads.take_counts();
    fixture.endpoint.publisher().publish(&Lobby, Uploaded(1));
    for event in join_all(clients.iter_mut().map(Client::event)).await {
        assert_eq!(event.value()["data"], 1);
    }
    fixture.state.loads.take_counts()
}

#[tokio::test(start_paused = true)]
async fn loads_after_one_event_are_bounded() {
    assert_eq!(loads_of_one_event(&fixture(), (0..1500).collect()).await, (1500, 32));
    assert_eq!(
        loads_of_one_event(&fixture(), vec![7; 1500]).await,
        (1500, 32),
        "no key, so each connection loads for itself"
    );
}

#[tokio::test(start_paused = true)]
async fn loads_of_a_source_that_fails_or_hangs_for_a_while_are_bounded_and_lose_no_event() {
    for outcome in Outcome::FAULTS {
        for users in [(0..1500).collect(), vec![7; 1500]] {
            let fixture = fixture();
            let mut clients = fixture.open_all(users).await;
            let mut stranger = fixture.open(9000).await;
            (0..1500).for_each(|user| fixture.state.loads.set(user, outcome));
            assert!(fixture.endpoint.connections().refresh_all().revalidated().await.is_acknowledged());
            fixture.state.loads.take_counts();
            let started_at = Instant::now();
            fixture.endpoint.publisher().publish(&Lobby, Uploaded(1));
            // Another user has its turn, at the latest when the first load has timed out.
            assert_eq!(*stranger.event().await.data(), 1, "{outcome:?}");
            assert_eq!(stranger.call("ping").await.status(), 200);
            sleep(Duration::from_secs(2).saturating_sub(started_at.elapsed())).await;
            (0..1500).for_each(|user| fixture.state.loads.set(user, Outcome::Allow));
            for event in join_all(clients.iter_mut().map(Client::event)).await {
                assert_eq!(*event.data(), 1, "{outcome:?}");
            }
            let (_, most_running) = fixture.state.loads.take_counts();
            assert!(most_running <= 32, "{outcome:?}: {most_running}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connections_with_equal_keys_share_one_load() {
    let fixture = fixture();
    fixture.state.is_coalescing.store(true, Ordering::SeqCst);
    assert_eq!(loads_of_one_event(&fixture, vec![7; 1500]).await, (1, 1));
    let fixture = super::fixture();
    fixture.state.is_coalescing.store(true, Ordering::SeqCst);
    assert_eq!(loads_of_one_event(&fixture, (0..50).cycle().take(500).collect()).await, (50, 32));
}

#[tokio::test(start_paused = true)]
async fn shared_load_that_began_before_a_change_serves_no_connection_that_it_concerns() {
    let fixture = fixture();
    fixture.state.is_coalescing.store(true, Ordering::SeqCst);
    fixture.state.loads.set_delay(LOAD);
    let (mut first, mut second) = (fixture.open(7).await, fixture.open(7).await);
    first.send(r#"{"action":"read"}"#);
    sleep(LOAD / 2).await;
    // The load is in progress, and will return the grants from before.
    fixture.state.loads.set(7, Outcome::Refuse);
    assert!(fixture.endpoint.connections().refresh_user("7").await.is_acknowledged());
    assert_eq!(second.call("read").await.status(), 403);
    assert_eq!(first.reply().await.status(), 403);
    // So would one that was opened after a change that no connection was told of.
    fixture.state.loads.set(8, Outcome::Allow);
    let mut first = fixture.open(8).await;
    first.send(r#"{"action":"read"}"#);
    sleep(LOAD / 2).await;
    fixture.state.loads.set(8, Outcome::Refuse);
    let mut second = fixture.open(8).await;
    assert_eq!((first.reply().await.status(), second.call("read").await.status()), (200, 403));
}

#[tokio::test(start_paused = true)]
async fn user_with_many_connections_delays_no_other_user() {
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { max_concurrent_loads: 2, ..Limits::default() });
    fixture.state.loads.set_delay(LOAD);
    let mut crowd = fixture.open_all([7; 100]).await;
    for client in &mut crowd {
        client.send(r#"{"action":"read"}"#);
    }
    let mut stranger = fixture.open(8).await;
    let started_at = Instant::now();
    assert_eq!(stranger.call("read").await.status(), 200);
    assert!(started_at.elapsed() <= 3 * LOAD, "waited for {:?}", started_at.elapsed());
    for client in &mut crowd {
        assert_eq!(client.reply().await.status(), 200);
    }
    assert_eq!(fixture.state.loads.take_counts(), (101, 2));
}

#[tokio::test(start_paused = true)]
async fn failed_load_fails_its_waiters_once() {
    for outcome in [Outcome::Fail, Outcome::Panic] {
        let fixture = fixture();
        fixture.state.is_coalescing.store(true, Ordering::SeqCst);
        fixture.state.loads.set_delay(LOAD);
        fixture.state.loads.set(7, outcome);
        let mut clients = fixture.open_all([7; 50]).await;
        for reply in join_all(clients.iter_mut().map(|client| client.call("read").into_future())).await {
            assert_eq!(reply.status(), 500);
        }
        assert_eq!(fixture.state.loads.take_counts(), (1, 1), "{outcome:?}");
        fixture.state.loads.set(7, Outcome::Allow);
        assert_eq!(clients[0].call("read").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_load_is_taken_over_by_another_waiter() {
    let fixture = fixture();
    fixture.state.is_coalescing.store(true, Ordering::SeqCst);
    fixture.state.loads.set_delay(LOAD);
    let mut clients = fixture.open_all([7; 2]).await;
    clients[0].send(r#"{"action":"read"}"#);
    sleep(LOAD / 2).await;
    clients[1].send(r#"{"action":"read"}"#);
    sleep(LOAD / 4).await;
    // The connection ends while its action waits.
    assert!(fixture.endpoint.connections().disconnect_user("7").await.is_acknowledged());
    let mut late = fixture.open(7).await;
    assert_eq!(late.call("read").await.status(), 200);
}
