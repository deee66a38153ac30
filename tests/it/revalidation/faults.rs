//! Faults of callbacks during delivery, refresh and join: one session at most is affected, and it learns to come back.

use std::time::Duration;

use futures_util::FutureExt;
use portcullis::Limits;
use tokio::time::{Instant, sleep};

use super::{Fixture, Lobby, Outcome, Uploaded, fixture};

impl Fixture {
    /// Publishes an event for which grants are needed.
    fn upload(&self, number: u32) {
        self.endpoint.publisher().publish(&Lobby, Uploaded(number));
    }
}

#[tokio::test(start_paused = true)]
async fn event_is_delayed_by_a_passing_fault_of_the_grant_source_and_not_lost() {
    for outcome in Outcome::FAULTS {
        let fixture = fixture();
        let mut clients = fixture.open_all([1, 2]).await;
        fixture.state.loads.set(1, outcome);
        let started_at = Instant::now();
        fixture.upload(1);
        fixture.upload(2);
        for number in 1..3 {
            assert_eq!(clients[1].event().await.value()["data"], number);
        }
        assert_eq!(started_at.elapsed(), Duration::ZERO, "{outcome:?}: another session waited");
        sleep(Duration::from_secs(1)).await;
        fixture.state.loads.set(1, Outcome::Allow);
        for number in 1..3 {
            assert_eq!(clients[0].event().await.value()["data"], number, "{outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_fault_of_the_grant_source_closes_the_session_that_it_concerns() {
    for outcome in Outcome::FAULTS {
        let mut fixture = fixture();
        let limits = Limits { action_timeout: Duration::from_secs(10), ..Limits::default() };
        fixture.endpoint = fixture.endpoint.limits(limits);
        let mut clients = fixture.open_all([1, 2]).await;
        fixture.state.loads.set(1, outcome);
        let started_at = Instant::now();
        fixture.upload(1);
        assert_eq!(clients[0].closed().await, 4500, "{outcome:?}");
        assert!(started_at.elapsed() <= Duration::from_secs(16), "{outcome:?}: {:?}", started_at.elapsed());
        assert_eq!(clients[1].event().await.value()["data"], 1);
        assert_eq!(clients[1].call("ping").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn change_of_rights_does_not_wait_for_a_load_that_hangs() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.state.loads.set(1, Outcome::Hang);
    fixture.upload(1);
    client.expect_silence().await;
    fixture.state.loads.set(1, Outcome::Allow);
    let started_at = Instant::now();
    assert!(fixture.endpoint.connections().refresh_user("1").revalidated().await.is_acknowledged());
    assert_eq!(client.event().await.value()["data"], 1);
    assert_eq!(started_at.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn panic_of_a_coalescing_key_is_a_fault_of_its_user() {
    let fixture = fixture();
    let mut clients = fixture.open_all([1, 2]).await;
    fixture.state.panicking_keys.lock().unwrap().insert(1);
    assert_eq!((clients[0].call("read").await.status(), clients[1].call("read").await.status()), (500, 200));
    fixture.upload(1);
    assert_eq!(clients[1].event().await.value()["data"], 1);
    fixture.state.panicking_keys.lock().unwrap().clear();
    assert_eq!(clients[0].event().await.value()["data"], 1, "delayed");
}

#[tokio::test(start_paused = true)]
async fn join_whose_permission_fails_is_refused_and_can_be_repeated() {
    for outcome in [Outcome::Fail, Outcome::Panic] {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        fixture.state.joins.set(1, outcome);
        assert_eq!(client.call("enter").with("room", 1).await.status(), 500, "{outcome:?}");
        fixture.state.joins.set(1, Outcome::Allow);
        assert_eq!(client.call("enter").with("room", 1).await.status(), 200, "{outcome:?}");
        let _ = fixture.endpoint.connections().refresh_all().now_or_never();
        fixture.upload(1);
        assert_eq!(client.event().await.value()["data"], 1);
    }
}
