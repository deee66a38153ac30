//! Sizes at the limits of events, and one beyond: events that are queued, that wait for grants, and that wait for the
//! permission of a group.

use std::time::Duration;

use portcullis::testing::Client;
use portcullis::{Limits, OverflowPolicy};
use tokio::time::sleep;

use super::{Fixture, Lobby, Outcome, Room, Said, Uploaded, fixture};

/// Where events wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the send queue, whose reader has not run since.
    Queue,
    /// At the revalidator, for grants.
    Deferred,
    /// In the side queue of a group whose permission is evaluated.
    Side,
}

const PLACES: [Place; 3] = [Place::Queue, Place::Deferred, Place::Side];

/// Publishes events one after the other, of which the reader has no chance to take one.
fn publish(fixture: &Fixture, place: Place, count: usize) {
    for number in 0..u32::try_from(count).unwrap() {
        match place {
            Place::Queue | Place::Deferred => fixture.endpoint.publisher().publish(&Lobby, Uploaded(number)),
            Place::Side => fixture.endpoint.publisher().publish(&Room(1), Said(number)),
        }
    }
}

/// Opens a connection whose events wait at this place.
async fn open_at(place: Place, limits: Limits, policy: OverflowPolicy) -> (Fixture, Client) {
    let mut fixture = fixture();
    fixture.endpoint = fixture.endpoint.limits(limits).overflow_policy(policy);
    let mut client = fixture.open(1).await;
    match place {
        Place::Queue => assert_eq!(client.call("read").await.status(), 200),
        Place::Deferred => fixture.state.loads.set(1, Outcome::Hang),
        Place::Side => {
            assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
            fixture.state.joins.set(1, Outcome::Hang);
            assert!(fixture.endpoint.connections().refresh_all().await.is_acknowledged());
            // The connect permission is evaluated first, and defers all events.
            sleep(Duration::from_millis(1)).await;
        }
    }
    (fixture, client)
}

impl Fixture {
    fn release(&self) {
        self.state.loads.set(1, Outcome::Allow);
        self.state.joins.set(1, Outcome::Allow);
    }
}

#[tokio::test(start_paused = true)]
async fn events_may_wait_up_to_four_times_the_limit_at_each_place() {
    for place in PLACES {
        for max_queued_events in [1, 2, 64] {
            let limit = 4 * max_queued_events;
            for (policy, count) in [
                (OverflowPolicy::Close, limit),
                (OverflowPolicy::Close, limit + 1),
                (OverflowPolicy::DropOldest, limit),
                (OverflowPolicy::DropOldest, limit + 1),
                (OverflowPolicy::KeepNewest, limit),
                (OverflowPolicy::KeepNewest, limit + 1),
            ] {
                let limits = Limits { max_queued_events, ..Limits::default() };
                let (fixture, mut client) = open_at(place, limits, policy).await;
                publish(&fixture, place, count);
                fixture.release();
                if count > limit && policy != OverflowPolicy::DropOldest {
                    // Without a key no event supersedes another.
                    assert_eq!(client.closed().await, 1013, "{place:?} {policy:?} {count} of {limit}");
                    continue;
                }
                for number in count - limit.min(count)..count {
                    let event = client.event().await;
                    assert_eq!(*event.data(), number, "{place:?} {policy:?} {count} of {limit}");
                }
                client.expect_silence().await;
                let dropped = fixture.endpoint.publisher().counters().dropped;
                assert_eq!(dropped, u64::try_from(count.saturating_sub(limit)).unwrap(), "{place:?} {policy:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_may_wait_up_to_four_times_the_limit() {
    let frame = r#"{"event":"uploaded","data":0}"#.len();
    for (max_queued_bytes, count, is_closed) in [
        (2 * frame, 8, false),
        (2 * frame, 9, true),
        (2 * frame - 1, 7, false),
        (2 * frame - 1, 8, true),
        // A larger one is delivered if it is alone.
        (frame / 4, 1, false),
        (frame / 4 - 1, 1, false),
        (frame / 4 - 1, 2, true),
        (0, 1, false),
        (0, 2, true),
    ] {
        let limits = Limits { max_queued_bytes, ..Limits::default() };
        let (fixture, mut client) = open_at(Place::Queue, limits, OverflowPolicy::Close).await;
        publish(&fixture, Place::Queue, count);
        if is_closed {
            assert_eq!(client.closed().await, 1013, "{count} frames within {max_queued_bytes} bytes");
            continue;
        }
        for number in 0..count {
            assert_eq!(*client.event().await.data(), number, "{count} frames within {max_queued_bytes} bytes");
        }
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_have_waited_are_queued_without_loss() {
    // What has waited is four times as much as the queue holds; nothing of it is lost when it moves on.
    for place in [Place::Deferred, Place::Side] {
        let limits = Limits { max_queued_events: 2, max_queued_bytes: 10, ..Limits::default() };
        let (fixture, mut client) = open_at(place, limits, OverflowPolicy::Close).await;
        publish(&fixture, place, 8);
        sleep(Duration::from_secs(1)).await;
        fixture.release();
        assert!(fixture.endpoint.connections().refresh_user("1").await.is_acknowledged());
        for number in 0..8 {
            assert_eq!(*client.event().await.data(), number, "{place:?}");
        }
        client.expect_silence().await;
    }
}
