//! Changes that come faster than grants load: evaluations end, and each change holds once its call has completed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use portcullis::ObjectKey;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{Fixture, Lobby, Outcome, Uploaded, fixture};

const LOAD: Duration = Duration::from_millis(30);

/// Calls `refresh_all` every 12 ms, each in a task of its own, so that a call that waits delays no later one. Records the
/// longest time that one took.
fn refresh_often(fixture: &Fixture) -> JoinHandle<()> {
    let connections = fixture.endpoint.connections();
    tokio::spawn(async move {
        loop {
            let connections = connections.clone();
            tokio::spawn(async move {
                let started_at = Instant::now();
                assert!(connections.refresh_all().await.is_acknowledged());
                assert!(started_at.elapsed() <= Duration::from_millis(101), "took {:?}", started_at.elapsed());
            });
            sleep(Duration::from_millis(12)).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn actions_and_events_go_on_while_everything_is_refreshed_all_the_time() {
    let fixture = fixture();
    fixture.state.loads.set_delay(LOAD);
    let mut client = fixture.open(1).await;
    let storm = refresh_often(&fixture);
    let started_at = Instant::now();
    for _ in 0..5 {
        assert_eq!(client.call("read").await.status(), 200);
    }
    for number in 0..5 {
        fixture.endpoint.publisher().publish(&Lobby, Uploaded(number));
        assert_eq!(client.event().await.value()["data"], number);
    }
    assert!(started_at.elapsed() < Duration::from_secs(5), "took {:?}", started_at.elapsed());
    storm.abort();
}

#[tokio::test(start_paused = true)]
async fn change_that_waits_holds_once_its_call_has_completed() {
    let fixture = fixture();
    fixture.state.loads.set_delay(LOAD);
    let mut client = fixture.open(1).await;
    let storm = refresh_often(&fixture);
    client.send(r#"{"action":"read"}"#);
    sleep(3 * LOAD).await;
    fixture.state.loads.set(1, Outcome::Refuse);
    assert!(fixture.endpoint.connections().refresh_user("1").await.is_acknowledged());
    // What had started before is answered either way. From here on nothing starts.
    client.send(r#"{"action":"read"}"#);
    let replies = [client.reply().await.status(), client.reply().await.status()];
    assert_eq!(replies[1], 403, "{replies:?}");
    fixture.endpoint.publisher().publish(&Lobby, Uploaded(1));
    storm.abort();
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn dropped_call_that_waits_takes_effect() {
    let fixture = fixture();
    fixture.state.loads.set_delay(LOAD);
    let mut client = fixture.open(1).await;
    let connections = fixture.endpoint.connections();
    client.send(r#"{"action":"read"}"#);
    let mut has_waited = false;
    for _ in 0..40 {
        sleep(Duration::from_millis(12)).await;
        // Polled once, and dropped.
        has_waited |= connections.refresh_all().now_or_never().is_none();
    }
    assert!(has_waited, "no call had to wait");
    assert_eq!(client.reply().await.status(), 200);
    fixture.state.loads.set(1, Outcome::Refuse);
    let _ = connections.refresh_all().now_or_never();
    sleep(Duration::from_millis(100)).await;
    fixture.endpoint.publisher().publish(&Lobby, Uploaded(1));
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_wait_together_cause_one_revalidation() {
    let fixture = fixture();
    fixture.state.loads.set_delay(LOAD);
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    let connections = fixture.endpoint.connections();
    client.send(r#"{"action":"read"}"#);
    for _ in 0..6 {
        sleep(Duration::from_millis(12)).await;
        let _ = connections.refresh_all().now_or_never();
    }
    let calls = Arc::new(join_all((0..20).map(|_| connections.refresh_user("1").revalidated())));
    fixture.state.joins.take_counts();
    for propagation in Arc::into_inner(calls).unwrap().await {
        assert!(propagation.is_acknowledged());
    }
    assert!(fixture.state.joins.calls.load(Ordering::SeqCst) <= 2, "one for the changes before, one for these");
    assert_eq!(client.reply().await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn change_of_an_object_concerns_connections_that_evaluated_something_about_it() {
    let fixture = fixture();
    let (mut one, mut other) = (fixture.open(1).await, fixture.open(2).await);
    for (client, room, object) in [(&mut one, 1, 5), (&mut other, 2, 6)] {
        assert_eq!(client.call("enter").with("room", room).await.status(), 200);
        assert_eq!(client.call("read_on").with("channel", object).await.status(), 200);
    }
    for (object, rechecks) in [(5, 1), (6, 1), (7, 0)] {
        fixture.state.joins.take_counts();
        let key = ObjectKey::new("channel", object);
        assert!(fixture.endpoint.connections().refresh_object(&key).revalidated().await.is_acknowledged());
        assert_eq!(fixture.state.joins.calls.load(Ordering::SeqCst), rechecks, "channel {object}");
    }
    // The record outlives the grants.
    assert!(fixture.endpoint.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.state.joins.take_counts();
    let key = ObjectKey::new("channel", 5);
    assert!(fixture.endpoint.connections().refresh_object(&key).revalidated().await.is_acknowledged());
    assert_eq!(fixture.state.joins.calls.load(Ordering::SeqCst), 1);
}
