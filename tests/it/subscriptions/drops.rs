//! Events that publish when they are dropped: no drop site deadlocks.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use portcullis::{Limits, OverflowPolicy};

use super::{
    Fixture, PublishesOnDrop, Room, act_ok, fixture, fixture_with, frames, said, settle, unsubscribe, without_timeouts,
};

/// Runs a test on its own thread, which is abandoned if it hangs.
#[track_caller]
fn completes(test: impl Future<Output = ()> + Send + 'static) {
    let (told, heard) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let running = thread::spawn(move || {
        runtime.block_on(test);
        told.send(()).unwrap();
    });
    match heard.recv_timeout(Duration::from_secs(10)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

fn publish_parting(fixture: &Fixture) {
    fixture.publisher.publish(&Room { id: 2 }, PublishesOnDrop(fixture.publisher.clone()));
}

const PARTING: &str = r#"{"event":"parting","data":"so long","group":"rooms/2","request_ids":[1]}"#;

fn gone() -> String {
    said("gone", 2, "1")
}

#[test]
fn event_that_publishes_on_drop_is_dropped_after_deferral_without_deadlock() {
    completes(async {
        let fixture = fixture();
        let (mut one, mut other) = (fixture.open(3, &[]).await, fixture.open(3, &[]).await);
        for client in [&mut one, &mut other] {
            act_ok(client, "1", r#"{"subscribe":2}"#).await;
        }
        publish_parting(&fixture);
        // Deferred behind the first event.
        fixture.say(2, "after");
        for client in [&mut one, &mut other] {
            let mut received = frames(client).await;
            received.sort();
            assert_eq!(received, [said("after", 2, "1"), gone()]);
        }
    });
}

#[test]
fn event_that_publishes_on_drop_is_delivered_without_deadlock() {
    completes(async {
        let fixture = fixture();
        let mut one = fixture.open(1, &[]).await;
        act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
        for _ in 0..2 {
            publish_parting(&fixture);
            assert_eq!(frames(&mut one).await, [PARTING.to_owned(), gone()]);
        }
    });
}

#[test]
fn event_that_publishes_on_drop_is_dropped_without_members_without_deadlock() {
    completes(async {
        let fixture = fixture();
        let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
        for client in [&mut one, &mut other] {
            act_ok(client, "1", r#"{"subscribe":2}"#).await;
        }
        fixture.state.grants_gate.close();
        publish_parting(&fixture);
        assert_eq!(frames(&mut one).await, Vec::<String>::new());
        // Both wait for grants: one unsubscribes, and one disconnects.
        unsubscribe(&mut one, 2, "1").await;
        drop(other);
        assert_eq!(frames(&mut one).await, Vec::<String>::new());
        fixture.state.grants_gate.open();
        settle(&mut one).await;
        assert_eq!(frames(&mut one).await, Vec::<String>::new());
        let published = fixture.publisher.counters().published;
        assert_eq!(published, 2, "the event and the one that it publishes, without receivers");
    });
}

/// A slow reader misses some of them: while deferred events are settled, with loaded grants, and while all are deferred
/// again.
#[test]
fn event_that_publishes_on_drop_is_missed_by_a_slow_reader_without_deadlock() {
    completes(async {
        let limits = Limits { max_queued_events: 2, ..without_timeouts() };
        let fixture = fixture_with(limits, OverflowPolicy::DropOldest);
        let mut one = fixture.open(1, &[]).await;
        act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
        fixture.state.grants_gate.close();
        for _ in 0..3 {
            publish_parting(&fixture);
            assert_eq!(frames(&mut one).await, Vec::<String>::new());
        }
        fixture.state.grants_gate.open();
        assert!(frames(&mut one).await.ends_with(&[gone()]));
        for _ in 0..5 {
            publish_parting(&fixture);
        }
        assert!(frames(&mut one).await.ends_with(&[gone()]));
        fixture.state.grants_gate.close();
        assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
        for _ in 0..5 {
            publish_parting(&fixture);
        }
        fixture.state.grants_gate.open();
        assert!(frames(&mut one).await.ends_with(&[gone()]));
        let counters = fixture.publisher.counters();
        assert_eq!(counters.published, 2 * 13, "each event has published on drop");
        assert_eq!(counters.delivered + counters.dropped, counters.published);
    });
}

#[test]
fn event_that_publishes_on_drop_closes_a_slow_reader_without_deadlock() {
    completes(async {
        for waits in [true, false] {
            let fixture = fixture_with(Limits { max_queued_events: 2, ..without_timeouts() }, OverflowPolicy::Close);
            let mut one = fixture.open(1, &[]).await;
            act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
            if !waits {
                // Loads its grants.
                publish_parting(&fixture);
                assert_eq!(frames(&mut one).await, [PARTING.to_owned(), gone()]);
            }
            // The queue of a connection that could not run takes eight events; two can be deferred.
            for _ in 0..9 {
                publish_parting(&fixture);
            }
            assert_eq!(one.closed().await, 1013);
        }
    });
}
