//! What becomes of events, in numbers.

use std::collections::HashMap;

use portcullis::testing::Client;
use portcullis::{EventCounters, Limits, OverflowPolicy};

use super::{Odd, Room, Uploaded, Whispered, World, act, done, frames, said, world, world_with};

/// By how much each number has risen since the last time, those that have not left out.
struct Counted<'w>(&'w World, EventCounters);

impl<'w> Counted<'w> {
    fn new(world: &'w World) -> Counted<'w> {
        Counted(world, world.publisher.counters())
    }

    /// Once all clients have received what there is: what waits has not gone out.
    fn since(&mut self) -> HashMap<&'static str, u64> {
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
        assert_eq!(self.since(), wanted.iter().copied().collect());
    }
}

/// How many frames come to all of them before there is silence.
async fn received(clients: &mut [Client]) -> u64 {
    let mut count = 0;
    for client in clients {
        count += frames(client).await.len() as u64;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn event_counters_count_per_member() {
    let world = world();
    assert_eq!(world.publisher.counters(), EventCounters::default());
    let mut all = Vec::new();
    for (id, role) in [(1, "none"), (3, "deaf"), (4, "hush"), (6, "none")] {
        let mut client = world.open(id, &[role]).await;
        done(&mut client, "1", r#"{"subscribe":2}"#).await;
        done(&mut client, "2", r#"{"subscribe":2},{"join":2}"#).await;
        all.push(client);
    }
    let (publisher, room) = (&world.publisher, Room { id: 2 });
    let mut counted = Counted::new(&world);
    counted.expect(&[]);
    world.say(5, "to nobody");
    publisher.publish_to_user("nobody", Odd);
    counted.expect(&[("published", 2)]);
    world.say(2, "hello");
    counted.expect(&[("published", 1), ("refused", 1)]);
    assert_eq!(received(&mut all).await, 3);
    counted.expect(&[("delivered", 3)]);
    publisher.publish(&room, Whispered);
    assert_eq!(received(&mut all).await, 3);
    counted.expect(&[("published", 1), ("delivered", 3)]);
    world.say(2, "panic");
    counted.expect(&[("published", 1), ("refused", 4), ("failed", 4)]);
    publisher.publish(&room, Odd);
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
    let world = world();
    let mut all = Vec::new();
    for id in [1, 2, 3, 6] {
        let mut client = world.open(id, &[]).await;
        done(&mut client, "1", r#"{"subscribe":2}"#).await;
        all.push(client);
    }
    let mut counted = Counted::new(&world);
    world.truth.desk.shut();
    for _ in 0..2 {
        world.publisher.publish(&Room { id: 2 }, Uploaded(1));
    }
    world.say(2, "after");
    assert_eq!(frames(&mut all[0]).await, Vec::<String>::new());
    counted.expect(&[("published", 3)]);
    // For who has left meanwhile it is settled by that.
    world.publisher.leave("2", &Room { id: 2 });
    world.truth.desk.open();
    for (at, uploads) in [(0, 2), (1, 0), (2, 0), (3, 0)] {
        assert_eq!(frames(&mut all[at]).await.len(), uploads + usize::from(at != 1), "{at}");
    }
    counted.expect(&[("delivered", 2 + 3), ("refused", 2 + 2), ("failed", 2)]);
    world.publisher.publish(&Room { id: 2 }, Uploaded(1));
    counted.expect(&[("published", 1), ("refused", 1)]);
    assert_eq!(received(&mut all).await, 1);
    counted.expect(&[("delivered", 1), ("refused", 1), ("failed", 1)]);
}

#[tokio::test(start_paused = true)]
async fn event_missed_by_a_slow_reader_is_counted() {
    for (policy, lost) in [(OverflowPolicy::DropOldest, ("dropped", 3)), (OverflowPolicy::Close, ("too_slow", 1))] {
        // Eight events may wait for a connection that could not run, two for grants.
        let world = world_with(Limits { max_queued_events: 2, ..Limits::default() }, policy);
        let (mut one, mut other) = (world.open(1, &[]).await, world.open(2, &[]).await);
        done(&mut one, "", r#"{"join":2}"#).await;
        done(&mut other, "", r#"{"join":4}"#).await;
        let mut counted = Counted::new(&world);
        let texts = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
        for text in texts {
            world.say(2, text);
        }
        counted.expect(&[("published", 11), lost]);
        if lost.0 == "dropped" {
            assert_eq!(frames(&mut one).await, texts[3..].iter().map(|text| said(text, 2, "")).collect::<Vec<_>>());
            counted.expect(&[("delivered", 8)]);
        } else {
            assert_eq!(one.closed().await, 1013);
            counted.expect(&[]);
        }
        world.truth.desk.shut();
        for number in 0..5 {
            world.publisher.publish(&Room { id: 4 }, Uploaded(number));
        }
        world.truth.desk.open();
        counted.expect(&[("published", 5), lost]);
        if lost.0 == "dropped" {
            assert_eq!(frames(&mut other).await.len(), 2);
            counted.expect(&[("delivered", 2)]);
        } else {
            assert_eq!(other.closed().await, 1013);
            counted.expect(&[]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reauthorized_event_is_counted_once() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    done(&mut one, "1", r#"{"subscribe":2}"#).await;
    let mut counted = Counted::new(&world);
    world.say(2, "hello");
    for _ in 0..3 {
        // It waits for its client, and each change takes it back.
        world.feed.connections().refresh_user("1").await;
    }
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1")]);
    counted.expect(&[("published", 1), ("delivered", 1)]);
    world.say(2, "never");
    world.truth.outside.lock().unwrap().insert(1);
    world.feed.connections().refresh_user("1").await;
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    counted.expect(&[("published", 1)]);
}
