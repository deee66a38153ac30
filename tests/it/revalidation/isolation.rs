//! A slow or failing check costs only the connections that it concerns.

use std::time::Duration;

use futures_util::FutureExt;
use portcullis::testing::Client;
use portcullis::{Limits, OverflowPolicy};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Fixture, Lobby, Outcome, Room, Said, fixture};

impl Fixture {
    /// Opens connections that are members of a room.
    async fn open_in_room(&self, users: impl IntoIterator<Item = u32>, room: u32) -> Vec<Client> {
        let mut clients = self.open_all(users).await;
        for client in &mut clients {
            assert_eq!(client.call("enter").with("room", room).await.status(), 200);
        }
        clients
    }

    fn say(&self, room: u32, number: u32) {
        self.endpoint.publisher().publish(&Room(room), Said(number));
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_check_delays_its_own_members_only() {
    let fixture = fixture();
    let mut members = fixture.open_in_room(0..200, 1).await;
    let mut stranger = fixture.open_in_room([900], 2).await.remove(0);
    assert_eq!(members[0].call("enter").with("room", 2).await.status(), 200);
    fixture.state.joins.set(1, Outcome::Hang);
    let connections = fixture.endpoint.connections();
    assert!(connections.refresh_all().now_or_never().unwrap().is_acknowledged());
    let started_at = Instant::now();
    assert!(connections.refresh_user("900").revalidated().await.is_acknowledged());
    assert_eq!(started_at.elapsed(), Duration::ZERO);
    fixture.say(1, 1);
    fixture.say(2, 2);
    fixture.endpoint.publisher().publish(&Lobby, Said(3));
    for client in [&mut stranger, &mut members[0]] {
        assert_eq!(
            (client.event().await.value()["data"].clone(), client.event().await.value()["data"].clone()),
            (json!(2), json!(3))
        );
    }
    assert!(started_at.elapsed() < Duration::from_millis(200), "waited for {:?}", started_at.elapsed());
    // The check is evaluated again, and the event has waited.
    fixture.state.joins.set(1, Outcome::Allow);
    assert_eq!(members[0].event().await.value()["data"], 1);
    assert!(started_at.elapsed() < Duration::from_secs(6), "waited for {:?}", started_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn healthy_check_of_many_members_closes_no_connection_that_reads() {
    const MEMBERS: u32 = 2000;
    // 200 events per second for a queue of 256 events: a quarter of both.
    const EVENTS: u32 = 150;
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(Limits { max_queued_events: 64, ..Limits::default() });
    let mut members = fixture.open_in_room(0..MEMBERS, 1).await;
    fixture.state.joins.set_delay(Duration::from_millis(20));
    let connections = fixture.endpoint.connections();
    let refresh = tokio::spawn(async move { connections.refresh_all().revalidated().await });
    for number in 0..EVENTS {
        sleep(Duration::from_millis(20)).await;
        fixture.say(1, number);
    }
    assert!(refresh.await.unwrap().is_acknowledged());
    for client in &mut members {
        for number in 0..EVENTS {
            assert_eq!(client.event().await.value()["data"], number);
        }
    }
    let counters = fixture.endpoint.publisher().counters();
    assert_eq!((counters.too_slow, counters.dropped, counters.delivered), (0, 0, u64::from(MEMBERS * EVENTS)));
    assert!(fixture.state.joins.take_counts().1 <= 32);
}

#[tokio::test(start_paused = true)]
async fn passing_fault_of_a_check_costs_nothing_but_time() {
    for outcome in Outcome::FAULTS {
        let fixture = fixture();
        let mut members = fixture.open_in_room(0..3, 1).await;
        for (callback, number) in [(&fixture.state.joins, 1), (&fixture.state.connects, 0)] {
            callback.set(number, outcome);
            assert!(fixture.endpoint.connections().refresh_all().await.is_acknowledged());
            fixture.say(1, number);
            sleep(Duration::from_secs(2)).await;
            callback.set(number, Outcome::Allow);
            for client in &mut members {
                assert_eq!(client.event().await.value()["data"], number, "{outcome:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_fault_of_a_check_closes_its_members_one_after_the_other() {
    for outcome in Outcome::FAULTS {
        let mut fixture = fixture();
        fixture.endpoint =
            fixture.endpoint.limits(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
        let members = fixture.open_in_room(0..20, 1).await;
        let mut stranger = fixture.open(900).await;
        fixture.state.joins.set(1, outcome);
        let started_at = Instant::now();
        assert!(fixture.endpoint.connections().refresh_all().await.is_acknowledged());
        let mut ends = Vec::new();
        for mut client in members {
            ends.push(tokio::spawn(async move {
                assert_eq!(client.closed().await, 4500);
                started_at.elapsed()
            }));
        }
        let ends = futures_util::future::join_all(ends).await;
        let ends: Vec<Duration> = ends.into_iter().map(Result::unwrap).collect();
        let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
        assert!(*last <= Duration::from_secs(16), "{outcome:?}: {last:?}");
        assert!(last.saturating_sub(*first) > Duration::from_millis(500), "{outcome:?}: all at once, after {first:?}");
        assert_eq!(stranger.call("ping").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_wait_for_a_check_follow_the_overflow_policy() {
    for (policy, wanted) in [(OverflowPolicy::Close, None), (OverflowPolicy::DropOldest, Some(4))] {
        let mut fixture = fixture();
        let limits = Limits { max_queued_events: 2, ..Limits::default() };
        fixture.endpoint = fixture.endpoint.limits(limits).overflow_policy(policy);
        let mut member = fixture.open_in_room([1], 1).await.remove(0);
        fixture.state.joins.set(1, Outcome::Hang);
        assert!(fixture.endpoint.connections().refresh_all().await.is_acknowledged());
        tokio::task::yield_now().await;
        (0..8).for_each(|number| fixture.say(1, number));
        assert_eq!(member.call("ping").await.status(), 200, "four times two events may wait");
        (8..12).for_each(|number| fixture.say(1, number));
        let Some(first) = wanted else {
            assert_eq!(member.closed().await, 1013);
            continue;
        };
        fixture.state.joins.set(1, Outcome::Allow);
        for number in first..12 {
            assert_eq!(member.event().await.value()["data"], number);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refused_subscription_is_told() {
    let fixture = fixture();
    let (mut subscriber, mut member) = (fixture.open(1).await, fixture.open_in_room([2], 1).await.remove(0));
    for id in ["a", "b"] {
        subscriber.send(json!({"action": "follow", "room": 1, "request_id": id}).to_string());
        assert_eq!(subscriber.reply().await.status(), 200);
    }
    fixture.say(1, 1);
    assert_eq!(subscriber.event().await.value()["data"], 1);
    fixture.state.joins.set(1, Outcome::Refuse);
    fixture.say(1, 2);
    assert!(fixture.endpoint.connections().refresh_all().await.is_acknowledged());
    fixture.say(1, 3);
    assert_eq!(
        *subscriber.event().await.value(),
        json!({"event": "unsubscribed", "data": {"status": 403}, "group": "rooms/1", "request_ids": ["a", "b"]})
    );
    assert_eq!(member.event().await.value()["data"], 1);
    subscriber.expect_silence().await;
    member.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn events_of_a_group_keep_their_order_across_checks() {
    let fixture = fixture();
    let mut member = fixture.open_in_room([1], 1).await.remove(0);
    fixture.state.joins.set_delay(Duration::from_millis(30));
    for number in 0..300 {
        if number % 7 == 0 {
            let _ = fixture.endpoint.connections().refresh_user("1").now_or_never();
        }
        fixture.say(1, number);
        sleep(Duration::from_millis(u64::from(number % 5) * 4)).await;
    }
    for number in 0..300 {
        assert_eq!(member.event().await.value()["data"], number);
    }
    member.expect_silence().await;
}
