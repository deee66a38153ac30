//! Publications from another thread while a connection joins and leaves: its replies bound the delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use portcullis::testing::Client;
use portcullis::{Limits, OverflowPolicy};

use super::{Fixture, Room, Said, fixture_with, without_timeouts};

/// A thread that publishes until this is dropped.
struct PublisherThread(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

impl PublisherThread {
    fn new(fixture: &Fixture) -> PublisherThread {
        let (stop, publisher) = (Arc::new(AtomicBool::new(false)), fixture.publisher.clone());
        let stopped = stop.clone();
        let publish = move || {
            while !stopped.load(Ordering::Relaxed) {
                publisher.publish(&Room { id: 2 }, Said("hello".to_owned()));
                thread::yield_now();
            }
        };
        PublisherThread(stop, Some(thread::spawn(publish)))
    }
}

impl Drop for PublisherThread {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        // A panic shows in the received frames.
        let _ = self.1.take().map(thread::JoinHandle::join);
    }
}

/// The minimal number of rounds and of frames between the replies.
const TIMES: usize = 200;
const FRAMES: usize = 50;

/// Calls two actions in turn and passes the frames between the reply of the second and that of the next first to `check`.
/// Returns the number of frames between the replies of first and second.
async fn collect_between(client: &mut Client, first: &str, second: &str, check: impl Fn(&str)) -> usize {
    let (mut times, mut within) = (0, 0);
    while times < TIMES || (within < FRAMES && times < 100 * TIMES) {
        times += 1;
        client.send(format!(r#"{{"action":"act","steps":[{first}],"request_id":7}}"#));
        client.send(format!(r#"{{"action":"act","steps":[{second}],"request_id":8}}"#));
        let mut replies = 0;
        while replies < 2 {
            let frame = client.reply().await;
            match (frame.status(), replies) {
                (0, 0) => check(frame.text()),
                (0, _) => within += 1,
                (status, _) => {
                    assert_eq!(status, 200, "{}", frame.text());
                    replies += 1;
                }
            }
        }
    }
    within
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_of_an_ended_membership_does_not_pass_its_reply() {
    let limits = Limits { max_queued_events: usize::MAX, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let fixture = fixture_with(limits, OverflowPolicy::Close);
    let mut one = fixture.open(1, &[]).await;
    let publishing = PublisherThread::new(&fixture);
    let received =
        collect_between(&mut one, r#"{"subscribe":2}"#, r#"{"unsubscribe":[2,7]}"#, |frame| panic!("{frame}")).await;
    assert!(received >= FRAMES, "too few frames before: {received}");
    let received = collect_between(&mut one, r#"{"join":2}"#, r#"{"leave":2}"#, |frame| panic!("{frame}")).await;
    assert!(received >= FRAMES, "too few frames before: {received}");
    join_during_publication(&mut one).await;
    let no_ids = |frame: &str| assert!(!frame.contains("request_ids"), "{frame}");
    let received = collect_between(&mut one, r#"{"subscribe":2}"#, r#"{"unsubscribe":[2,7]}"#, no_ids).await;
    assert!(received >= FRAMES, "{received}");
    drop(publishing);
}

/// Each frame carries its request id, even while the subscription begins or ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriber_gets_no_frame_without_a_request_id() {
    const CYCLES: usize = 100;
    let limits = Limits { max_queued_events: usize::MAX, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let fixture = fixture_with(limits, OverflowPolicy::Close);
    let mut one = fixture.open(1, &[]).await;
    let _publishing = [PublisherThread::new(&fixture), PublisherThread::new(&fixture)];
    let (mut rounds, mut received) = (0, 0);
    while rounds < 100 || (received < 1000 && rounds < 200) {
        rounds += 1;
        for _ in 0..CYCLES {
            one.send(r#"{"action":"act","steps":[{"subscribe":2}],"request_id":7}"#);
            one.send(r#"{"action":"unsubscribe","room":2,"subscription":7}"#);
        }
        let mut replies = 0;
        while replies < 2 * CYCLES {
            let frame = one.reply().await;
            if frame.status() == 0 {
                assert!(frame.text().ends_with(r#""request_ids":[7]}"#), "{}", frame.text());
                received += 1;
            } else {
                replies += 1;
            }
        }
    }
    assert!(received > 0, "no frame in between");
}

/// Joins the room during publications.
async fn join_during_publication(client: &mut Client) {
    client.send(r#"{"action":"act","steps":[{"join":2}]}"#);
    while client.reply().await.status() == 0 {}
}
