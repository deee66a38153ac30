//! Rights have a maximum age, and endpoints that share a grant cache share changes of rights.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{Connections, GrantCache, Limits};
use tokio::time::{Instant, sleep};

use super::{Archive, FakeGrants, Fixture, Lobby, Outcome, Room, Said, State, Uploaded, fixture};
use crate::common::member;

const MAX_AGE: Duration = Duration::from_mins(5);

/// Reports a change.
type Report = fn(&Connections<Archive>) -> portcullis::Refresh<Archive>;

#[tokio::test(start_paused = true)]
async fn change_at_one_endpoint_reaches_all_that_share_its_grant_cache() {
    let state = Arc::<State>::default();
    let cache = GrantCache::new(FakeGrants(state.clone()));
    let endpoint = || portcullis::websocket(Archive(state.clone())).grants(cache.clone());
    let (first, second) = (endpoint(), endpoint());
    let changes: [Report; 3] = [
        |connections| connections.refresh_user("7"),
        |connections| connections.refresh_role("any"),
        Connections::refresh_all,
    ];
    for change in changes {
        state.loads.set(7, Outcome::Allow);
        let mut client = connect(&second).user(member(7, &[])).open().await.unwrap();
        assert_eq!(client.call("read").await.status(), 200);
        second.publisher().publish(&Lobby, Uploaded(1));
        assert_eq!(client.event().await.value()["data"], 1);
        state.loads.set(7, Outcome::Refuse);
        second.publisher().publish(&Lobby, Uploaded(2));
        assert!(change(&first.connections()).await.is_acknowledged());
        assert_eq!(client.call("read").await.status(), 403);
        second.publisher().publish(&Lobby, Uploaded(3));
        client.expect_silence().await;
    }
    // An endpoint with another cache is not concerned.
    let other = fixture();
    let mut client = other.open(7).await;
    assert_eq!(client.call("read").await.status(), 200);
    other.state.loads.set(7, Outcome::Refuse);
    assert!(first.connections().refresh_all().revalidated().await.is_acknowledged());
    assert_eq!(client.call("read").await.status(), 200);
}

/// A change in the database.
type Change = fn(&State);

fn unreported_changes() -> [(&'static str, Change); 2] {
    [("grant", |state| state.loads.set(1, Outcome::Refuse)), ("overwrite", |state| state.deny_channel(5))]
}

#[tokio::test(start_paused = true)]
async fn unreported_change_takes_effect_within_the_maximum_age() {
    for (name, change) in unreported_changes() {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200);
        change(&fixture.state);
        sleep(MAX_AGE / 2).await;
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200, "{name}: not renewed yet");
        sleep(MAX_AGE / 2).await;
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 403, "{name}");
    }
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    fixture.state.joins.set(1, Outcome::Refuse);
    sleep(MAX_AGE).await;
    fixture.endpoint.publisher().publish(&Room(1), Said(1));
    client.expect_silence().await;
    fixture.state.connects.set(1, Outcome::Refuse);
    sleep(MAX_AGE).await;
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn rights_without_maximum_age_are_kept() {
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { grants_max_age: None, ..Limits::default() });
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("read").await.status(), 200);
    fixture.state.loads.set(1, Outcome::Refuse);
    sleep(10 * MAX_AGE).await;
    assert_eq!(client.call("read").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn renewal_that_finds_the_same_rights_is_not_seen() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    assert_eq!(client.call("read").await.status(), 200);
    fixture.state.joins.set_delay(Duration::from_secs(3));
    fixture.state.loads.set_delay(Duration::from_secs(3));
    fixture.state.take_all_counts();
    client.send(r#"{"action":"wait","request_id":1}"#);
    let mut number = 0;
    let started_at = Instant::now();
    while started_at.elapsed() < 4 * MAX_AGE {
        number += 1;
        let published_at = Instant::now();
        fixture.endpoint.publisher().publish(&Room(1), Said(number));
        assert_eq!(client.event().await.value()["data"], number);
        assert_eq!(client.call("read").await.status(), 200);
        assert_eq!(published_at.elapsed(), Duration::ZERO, "waited for a renewal");
        sleep(Duration::from_secs(1)).await;
    }
    let (loads, joins) = (fixture.state.loads.take_counts(), fixture.state.joins.take_counts());
    assert!((4..=7).contains(&loads.0) && (4..=7).contains(&joins.0), "{loads:?} {joins:?}");
    let connects = fixture.state.connects.take_counts();
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.value()["request_id"], 1);
    assert_eq!(fixture.state.connects.take_counts(), (0, 0), "the running action is not reauthorized");
    assert!((4..=7).contains(&connects.0), "{connects:?}");
}

#[tokio::test(start_paused = true)]
async fn rights_that_cannot_be_renewed_end_with_the_maximum_age() {
    for outcome in Outcome::FAULTS {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        assert_eq!(client.call("read").await.status(), 200);
        fixture.state.loads.set(1, outcome);
        sleep(MAX_AGE / 2).await;
        assert_eq!(client.call("read").await.status(), 200, "{outcome:?}: not too old yet");
        sleep(MAX_AGE / 2 + Duration::from_secs(1)).await;
        assert_eq!(client.call("read").await.status(), 500, "{outcome:?}");
        fixture.state.loads.set(1, Outcome::Allow);
        assert_eq!(client.call("read").await.status(), 200, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn maximum_age_of_zero_counts_as_one_second() {
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { grants_max_age: Some(Duration::ZERO), ..Limits::default() });
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("read").await.status(), 200);
    fixture.state.take_all_counts();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.state.loads.take_counts().0, 0, "renewed without end");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.state.loads.take_counts().0, 1);
}

#[tokio::test(start_paused = true)]
async fn ended_connection_keeps_no_renewal_and_no_endpoint_alive() {
    let fixture = fixture();
    let state = Arc::downgrade(&fixture.state);
    for user in 1..=3 {
        fixture.open(user).await.close().await;
    }
    drop(fixture);
    // Long enough for `#[disconnect]`, far less than the maximum age.
    sleep(Duration::from_secs(1)).await;
    assert_eq!(state.strong_count(), 0, "the grant source is still referred to");
}

#[tokio::test(start_paused = true)]
async fn overwrites_that_cannot_be_renewed_end_with_the_maximum_age() {
    for outcome in Outcome::FAULTS {
        let fixture = fixture();
        // They share the overwrites, and one of them is the first to load them again.
        let mut clients = fixture.open_all(1..4).await;
        for client in &mut clients {
            assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200);
        }
        fixture.state.overwrites.set(0, outcome);
        sleep(MAX_AGE / 2).await;
        for client in &mut clients {
            assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200, "{outcome:?}: not too old yet");
        }
        sleep(MAX_AGE / 2 + Duration::from_secs(1)).await;
        for client in &mut clients {
            assert_eq!(client.call("read_on").with("channel", 5).await.status(), 500, "{outcome:?}");
        }
        fixture.state.overwrites.set(0, Outcome::Allow);
        for client in &mut clients {
            assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200, "{outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn overwrites_whose_renewing_connection_ends_do_not_outlive_the_maximum_age() {
    let fixture = fixture();
    let (mut first, mut second) = (fixture.open(1).await, fixture.open(2).await);
    for client in [&mut first, &mut second] {
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200);
    }
    fixture.state.overwrites.set(0, Outcome::Hang);
    fixture.state.overwrites.take_counts();
    while fixture.state.overwrites.take_counts().0 == 0 {
        sleep(Duration::from_secs(1)).await;
    }
    // One of the two is renewing the overwrites, and ends.
    drop(first);
    sleep(MAX_AGE / 2).await;
    assert_eq!(second.call("read_on").with("channel", 5).await.status(), 500);
}

#[tokio::test(start_paused = true)]
async fn overwrites_that_no_connection_has_used_for_the_maximum_age_are_loaded_again() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200);
    client.close().await;
    sleep(MAX_AGE + Duration::from_secs(1)).await;
    fixture.state.deny_channel(5);
    assert_eq!(fixture.open(2).await.call("read_on").with("channel", 5).await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn overwrites_are_renewed_by_connections_whose_grants_change_each_time() {
    let fixture = fixture();
    let mut clients = fixture.open_all(1..3).await;
    for client in &mut clients {
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 200);
    }
    fixture.state.has_changing_roles.store(true, Ordering::SeqCst);
    fixture.state.deny_channel(5);
    let started_at = Instant::now();
    while started_at.elapsed() < MAX_AGE {
        // Each reads soon after the renewal of the other one, and so begins to use its overwrites.
        sleep(Duration::from_secs(1)).await;
        for client in &mut clients {
            client.call("read_on").with("channel", 5).await;
        }
    }
    for client in &mut clients {
        assert_eq!(client.call("read_on").with("channel", 5).await.status(), 403);
    }
}

/// Opens a connection that checks a codename by overwrites of this age, which have changed since. Another connection that has
/// used them closes before that, or just after it if `is_shared`.
async fn open_with_overwrites_of(age: Duration, is_shared: bool) -> (Fixture, Client) {
    let fixture = fixture();
    let mut first = fixture.open(1).await;
    assert_eq!(first.call("read_on").with("channel", 5).await.status(), 200);
    fixture.state.deny_channel(5);
    let mut first = Some(first);
    if !is_shared && let Some(first) = first.take() {
        first.close().await;
    }
    sleep(age).await;
    let mut second = fixture.open(2).await;
    second.call("read_on").with("channel", 5).await;
    if let Some(first) = first {
        first.close().await;
    }
    (fixture, second)
}

#[tokio::test(start_paused = true)]
async fn overwrites_that_a_later_connection_uses_too_do_not_outlive_the_maximum_age() {
    for (share, is_shared) in [(0.03, false), (0.5, false), (0.99, false), (0.03, true), (0.3, true), (0.55, true)] {
        let age = MAX_AGE.mul_f64(share);
        let (_fixture, mut client) = open_with_overwrites_of(age, is_shared).await;
        sleep(MAX_AGE.saturating_sub(age) + Duration::from_millis(1)).await;
        let status = client.call("read_on").with("channel", 5).await.status();
        assert_eq!(status, 403, "begun at {share} of the maximum age, {is_shared}");
    }
}

#[tokio::test(start_paused = true)]
async fn change_that_a_later_connection_finds_revalidates_the_others_within_the_maximum_age() {
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { action_timeout: 2 * MAX_AGE, ..Limits::default() });
    let mut first = fixture.open(1).await;
    first.send(r#"{"action":"wait_on","channel":5,"request_id":1}"#);
    sleep(MAX_AGE / 2).await;
    fixture.state.deny_channel(5);
    assert_eq!(fixture.open(2).await.call("read_on").with("channel", 5).await.status(), 403);
    // The action has begun before the change, and is reauthorized before its reply.
    sleep(MAX_AGE / 2).await;
    fixture.state.resume.notify_one();
    assert_eq!(first.reply().await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn renewal_takes_no_longer_than_the_rest_of_the_maximum_age() {
    // The rest is between 2 and 8 seconds.
    let max_age = Duration::from_secs(20);
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { grants_max_age: Some(max_age), ..Limits::default() });
    let mut clients = fixture.open_all(0..30).await;
    for client in &mut clients {
        assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
        assert_eq!(client.call("read").await.status(), 200);
    }
    fixture.state.loads.set_delay(Duration::from_millis(1900));
    fixture.state.connects.set_delay(Duration::from_millis(1900));
    fixture.state.joins.set(1, Outcome::Hang);
    sleep(max_age + Duration::from_millis(100)).await;
    fixture.endpoint.publisher().publish(&Room(1), Said(1));
    for client in &mut clients {
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_are_spread_and_bounded() {
    let fixture = fixture();
    let mut clients = fixture.open_all(0..1000).await;
    for client in &mut clients {
        assert_eq!(client.call("read").await.status(), 200);
    }
    fixture.state.loads.set_delay(Duration::from_millis(50));
    fixture.state.take_all_counts();
    sleep(MAX_AGE).await;
    let (loads, most_running) = fixture.state.loads.take_counts();
    assert!(loads >= 1000 && most_running <= 32, "{loads} {most_running}");
}
