//! The event counters.

use std::collections::HashMap;

use portcullis::testing::Client;
use portcullis::{EventCounters, Limits, OverflowPolicy};

use super::{
    Fixture, Room, Unserializable, Uploaded, Whispered, act, act_ok, fixture, fixture_with, frames, said,
    without_timeouts,
};

/// The counters that have changed since the last call.
struct CounterDelta<'w>(&'w Fixture, EventCounters);

impl<'w> CounterDelta<'w> {
    fn new(fixture: &'w Fixture) -> CounterDelta<'w> {
        CounterDelta(fixture, fixture.publisher.counters())
    }

    /// Call it after all clients have received their frames.
    fn take_delta(&mut self) -> HashMap<&'static str, u64> {
        let (then, now) = (self.1, self.0.publisher.counters());
        self.1 = now;
        let numbers = |counters: &EventCounters| {
            [
                ("published", counters.published),
                ("delivered", counters.delivered),
                ("refused", counters.refused),
                ("dropped", counters.dropped),
                ("too_slow", counters.too_slow),
                ("failed", counters.failed),
            ]
        };
        let risen = numbers(&now).into_iter().zip(numbers(&then)).map(|((name, now), (_, then))| (name, now - then));
        risen.filter(|(_, risen)| *risen > 0).collect()
    }

    #[track_caller]
    fn expect(&mut self, wanted: &[(&'static str, u64)]) {
        assert_eq!(self.take_delta(), wanted.iter().copied().collect());
    }
}

/// Returns the number of frames that all clients receive before silence.
async fn received(clients: &mut [Client]) -> u64 {
    let mut count = 0;
    for client in clients {
        count += frames(client).await.len() as u64;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn event_counters_count_per_member() {
    let fixture = fixture();
    assert_eq!(fixture.publisher.counters(), EventCounters::default());
    let mut all = Vec::new();
    for (id, role) in [(1, "none"), (3, "deaf"), (4, "hush"), (6, "none")] {
        let mut client = fixture.open(id, &[role]).await;
        act_ok(&mut client, "1", r#"{"subscribe":2}"#).await;
        act_ok(&mut client, "2", r#"{"subscribe":2},{"join":2}"#).await;
        all.push(client);
    }
    let (publisher, room) = (&fixture.publisher, Room { id: 2 });
    let mut counted = CounterDelta::new(&fixture);
    counted.expect(&[]);
    fixture.say(5, "to nobody");
    publisher.publish_to_user("nobody", Unserializable);
    counted.expect(&[("published", 2)]);
    fixture.say(2, "hello");
    counted.expect(&[("published", 1), ("refused", 1)]);
    assert_eq!(received(&mut all).await, 3);
    counted.expect(&[("delivered", 3)]);
    publisher.publish(&room, Whispered);
    assert_eq!(received(&mut all).await, 3);
    counted.expect(&[("published", 1), ("delivered", 3)]);
    fixture.say(2, "panic");
    counted.expect(&[("published", 1), ("refused", 4), ("failed", 4)]);
    publisher.publish(&room, Unserializable);
    counted.expect(&[("published", 1), ("failed", 1)]);
    publisher.publish_to_user("1", Whispered);
    publisher.publish_to_several(&[Room { id: 5 }, Room { id: 2 }, Room { id: 2 }], Whispered);
    assert_eq!(received(&mut all).await, 4);
    counted.expect(&[("published", 2), ("delivered", 4)]);
    assert_eq!(act(&mut all[0], "", r#"{"say_to_others":[2,"a"]},{"say":[2,"never"]},"fail""#).await.status(), 409);
    counted.expect(&[]);
    assert_eq!(act(&mut all[0], "", r#"{"say_to_others":[2,"a"]},{"say_to_user":["1","a"]}"#).await.status(), 200);
    assert_eq!(received(&mut all).await, 3);
    counted.expect(&[("published", 2), ("delivered", 3), ("refused", 1)]);
}

#[tokio::test(start_paused = true)]
async fn deferred_event_is_counted_when_it_is_settled() {
    let fixture = fixture();
    let mut all = Vec::new();
    for id in [1, 2, 3] {
        let mut client = fixture.open(id, &[]).await;
        act_ok(&mut client, "1", r#"{"subscribe":2}"#).await;
        all.push(client);
    }
    let mut counted = CounterDelta::new(&fixture);
    fixture.state.grants_gate.close();
    for _ in 0..2 {
        fixture.publisher.publish(&Room { id: 2 }, Uploaded(1));
    }
    fixture.say(2, "after");
    assert_eq!(frames(&mut all[0]).await, Vec::<String>::new());
    counted.expect(&[("published", 3)]);
    // A leave settles the deferred events of that member.
    fixture.publisher.leave("2", &Room { id: 2 });
    fixture.state.grants_gate.open();
    for (at, uploads) in [(0, 2), (1, 0), (2, 0)] {
        assert_eq!(frames(&mut all[at]).await.len(), uploads + usize::from(at != 1), "{at}");
    }
    counted.expect(&[("delivered", 2 + 2), ("refused", 2)]);
    fixture.publisher.publish(&Room { id: 2 }, Uploaded(1));
    counted.expect(&[("published", 1), ("refused", 1)]);
    assert_eq!(received(&mut all).await, 1);
    counted.expect(&[("delivered", 1)]);
}

#[tokio::test(start_paused = true)]
async fn event_missed_by_a_slow_reader_is_counted() {
    for (policy, lost) in [(OverflowPolicy::DropOldest, ("dropped", 3)), (OverflowPolicy::Close, ("too_slow", 1))] {
        // The queue of a connection that could not run takes eight events, and as many can be deferred.
        let fixture = fixture_with(Limits { max_queued_events: 2, ..without_timeouts() }, policy);
        let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
        act_ok(&mut one, "", r#"{"join":2}"#).await;
        act_ok(&mut other, "", r#"{"join":4}"#).await;
        let mut counted = CounterDelta::new(&fixture);
        let texts = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
        for text in texts {
            fixture.say(2, text);
        }
        counted.expect(&[("published", 11), lost]);
        if lost.0 == "dropped" {
            assert_eq!(frames(&mut one).await, texts[3..].iter().map(|text| said(text, 2, "")).collect::<Vec<_>>());
            counted.expect(&[("delivered", 8)]);
        } else {
            assert_eq!(one.closed().await, 1013);
            counted.expect(&[]);
        }
        fixture.state.grants_gate.close();
        for number in 0..11 {
            fixture.publisher.publish(&Room { id: 4 }, Uploaded(number));
        }
        fixture.state.grants_gate.open();
        counted.expect(&[("published", 11), lost]);
        if lost.0 == "dropped" {
            assert_eq!(frames(&mut other).await.len(), 8);
            counted.expect(&[("delivered", 8)]);
        } else {
            assert_eq!(other.closed().await, 1013);
            counted.expect(&[]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reauthorized_event_is_counted_once() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
    let mut counted = CounterDelta::new(&fixture);
    fixture.say(2, "hello");
    for _ in 0..3 {
        // It waits for its client, and each change defers it again.
        assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
    }
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1")]);
    counted.expect(&[("published", 1), ("delivered", 1)]);
    fixture.say(2, "never");
    fixture.state.outsiders.lock().unwrap().insert(1);
    assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
    let unsubscribed = r#"{"event":"unsubscribed","data":{"status":403},"group":"rooms/2","request_ids":[1]}"#;
    assert_eq!(frames(&mut one).await, [unsubscribed]);
    counted.expect(&[("published", 1), ("delivered", 1)]);
}
