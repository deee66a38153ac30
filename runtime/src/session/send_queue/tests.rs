use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

use super::*;
use crate::session::backpressure::{HANDLE_PACER, PACER, Pacer};

/// A text that begins with a capital letter has this letter as its coalescing key.
impl Coalesce for &'static str {
    fn coalescing_key(&self) -> Option<impl Eq + std::hash::Hash> {
        self.chars().next().filter(char::is_ascii_uppercase)
    }
}

type Texts = SendQueue<&'static str>;

fn send_queue(max_events: usize, max_bytes: usize, overflow_policy: OverflowPolicy) -> Texts {
    SendQueue::new(max_events, max_bytes, overflow_policy, Arc::default())
}

fn dequeue_before(send_queue: &Texts, sequence: u64) -> Result<Option<String>, ConnectionEnd> {
    Ok(send_queue.dequeue_before(sequence)?.map(|dequeued| dequeued.frame.text().to_string()))
}

fn drain(send_queue: &Texts) -> Result<Vec<String>, ConnectionEnd> {
    let (sequence, mut frames) = (send_queue.next_sequence()?, Vec::new());
    while let Some(dequeued) = send_queue.dequeue_before(sequence)? {
        frames.push(dequeued.frame.text().to_string());
        assert_eq!(dequeued.has_more, send_queue.is_ready());
    }
    Ok(frames)
}

fn enqueue_one(send_queue: &Texts, text: &'static str, epoch: Epoch, version: Option<u64>) -> EnqueueOutcome {
    send_queue.enqueue(EventFrame::new(text), text, epoch, 0, || version.ok_or(EnqueueOutcome::Discarded)).0
}

/// Enqueues texts while the reader is stalled.
fn enqueue_all(send_queue: &Texts, texts: &[&'static str]) {
    send_queue.stall();
    for text in texts {
        enqueue_one(send_queue, text, send_queue.epoch(), Some(0));
    }
}

#[test]
fn dequeue_returns_each_event_once_in_order() {
    let send_queue = send_queue(3, 100, OverflowPolicy::Close);
    enqueue_all(&send_queue, &["a", "b", "c"]);
    assert_eq!(dequeue_before(&send_queue, 1).unwrap().unwrap(), "a");
    assert_eq!(dequeue_before(&send_queue, 1).unwrap(), None, "the next event has a higher sequence number");
    assert_eq!(drain(&send_queue).unwrap(), ["b", "c"]);
    assert_eq!(dequeue_before(&send_queue, 9).unwrap(), None);
    enqueue_all(&send_queue, &["d", "e", "f"]);
    assert_eq!(drain(&send_queue).unwrap(), ["d", "e", "f"]);
}

#[test]
fn enqueue_over_a_limit_closes_the_queue_under_close() {
    for send_queue in [send_queue(2, 100, OverflowPolicy::Close), send_queue(9, 2, OverflowPolicy::Close)] {
        enqueue_all(&send_queue, &["a", "b"]);
        assert_eq!(drain(&send_queue).unwrap(), ["a", "b"]);
        enqueue_all(&send_queue, &["c", "d", "e"]);
        assert_eq!(drain(&send_queue), Err(ConnectionEnd::Close(CloseReason::TooSlow)));
        assert_eq!(enqueue_one(&send_queue, "f", Epoch::default(), Some(0)), EnqueueOutcome::Discarded);
        drop(send_queue.close_with(CloseReason::Refused));
        assert_eq!(
            dequeue_before(&send_queue, 9),
            Err(ConnectionEnd::Close(CloseReason::TooSlow)),
            "the first reason stays"
        );
        assert_eq!(send_queue.telemetry.event_counters().too_slow, 1);
    }
}

#[test]
fn event_larger_than_the_queue_is_enqueued_if_the_queue_is_empty() {
    for policy in [OverflowPolicy::Close, OverflowPolicy::DropOldest, OverflowPolicy::KeepNewest] {
        for text in ["aa", "aaa", "aaaaaaaaa"] {
            let send_queue = send_queue(9, 2, policy);
            enqueue_all(&send_queue, &[text]);
            assert_eq!(drain(&send_queue).unwrap(), [text], "{policy:?}");
        }
        let send_queue = send_queue(9, 2, policy);
        enqueue_all(&send_queue, &["a", "bbb"]);
        match policy {
            OverflowPolicy::DropOldest => assert_eq!(drain(&send_queue).unwrap(), ["bbb"]),
            _ => assert_eq!(drain(&send_queue), Err(ConnectionEnd::Close(CloseReason::TooSlow)), "{policy:?}"),
        }
    }
}

#[test]
fn enqueue_over_a_limit_drops_and_counts_the_oldest_under_drop_oldest() {
    let send_queue = send_queue(2, 4, OverflowPolicy::DropOldest);
    enqueue_all(&send_queue, &["a", "b", "c"]);
    assert_eq!(drain(&send_queue).unwrap(), ["b", "c"]);
    enqueue_all(&send_queue, &["ddd", "ee", "fffff"]);
    assert_eq!(drain(&send_queue).unwrap(), ["fffff"], "an event larger than the limit is alone in the queue");
    send_queue.record_dropped(1);
    assert_eq!((send_queue.telemetry.event_counters().dropped, send_queue.close()), (4, 4));
    enqueue_all(&send_queue, &["g"]);
    assert_eq!(drain(&send_queue).unwrap(), Vec::<String>::new());
}

#[test]
fn enqueue_over_a_limit_keeps_the_newest_per_key_under_keep_newest() {
    let send_queue = send_queue(4, 100, OverflowPolicy::KeepNewest);
    enqueue_all(&send_queue, &["A1", "B1", "A2", "c"]);
    assert_eq!(drain(&send_queue).unwrap(), ["A1", "B1", "A2", "c"], "nothing is dropped below the limit");
    enqueue_all(&send_queue, &["A1", "B1", "A2", "c", "B2"]);
    assert_eq!(
        drain(&send_queue).unwrap(),
        ["A1", "A2", "c", "B2"],
        "the newest event supersedes the one with its own key"
    );
    enqueue_all(&send_queue, &["A1", "A2", "A3", "B1", "c", "d"]);
    assert_eq!(drain(&send_queue).unwrap(), ["A3", "B1", "c", "d"], "or else every superseded event is dropped");
    assert_eq!(send_queue.telemetry.event_counters().dropped, 3);
    enqueue_all(&send_queue, &["A1", "B1", "c", "d", "e"]);
    assert_eq!(drain(&send_queue), Err(ConnectionEnd::Close(CloseReason::TooSlow)), "no event is superseded");
}

#[test]
fn dequeue_before_a_sequence_ignores_superseded_events() {
    let send_queue = send_queue(3, 100, OverflowPolicy::KeepNewest);
    enqueue_all(&send_queue, &["A1", "b"]);
    let sequence = send_queue.next_sequence().unwrap();
    enqueue_all(&send_queue, &["C1", "C2"]);
    assert_eq!(dequeue_before(&send_queue, sequence).unwrap().unwrap(), "A1");
    enqueue_all(&send_queue, &["A2", "C3"]);
    assert_eq!(dequeue_before(&send_queue, sequence).unwrap().unwrap(), "b");
    assert_eq!(dequeue_before(&send_queue, sequence).unwrap(), None);
    assert_eq!(drain(&send_queue).unwrap(), ["A2", "C3"]);
}

#[test]
fn enqueue_by_an_ended_or_changed_path_is_rejected() {
    let send_queue = send_queue(9, 100, OverflowPolicy::Close);
    assert_eq!(enqueue_one(&send_queue, "a", Epoch::default(), Some(0)), EnqueueOutcome::Enqueued);
    assert_eq!(enqueue_one(&send_queue, "b", Epoch::default(), None), EnqueueOutcome::Discarded);
    assert_eq!(enqueue_one(&send_queue, "c", Epoch::default(), Some(1)), EnqueueOutcome::PathChanged);
    assert_eq!(drain(&send_queue).unwrap(), ["a"]);
}

#[test]
fn recall_returns_queued_events_and_makes_older_epochs_stale() {
    let send_queue = send_queue(9, 100, OverflowPolicy::Close);
    enqueue_all(&send_queue, &["a", "b"]);
    let before = send_queue.epoch();
    let (epoch, recalled) = send_queue.recall();
    assert_eq!(recalled.collect::<Vec<_>>(), ["a", "b"]);
    assert!(epoch > before && epoch == send_queue.epoch());
    assert_eq!(drain(&send_queue).unwrap(), Vec::<String>::new());
    assert_eq!(enqueue_one(&send_queue, "c", before, Some(0)), EnqueueOutcome::Stale);
    enqueue_all(&send_queue, &["d"]);
    assert_eq!(drain(&send_queue).unwrap(), ["d"]);
}

/// The reader never runs.
#[tokio::test(start_paused = true)]
async fn reader_that_does_not_run_holds_a_publisher_for_100_ms() {
    let send_queue = send_queue(2, 100, OverflowPolicy::Close);
    let (connection, handle) = (Pacer::new(), Pacer::new());
    let publish = |text| {
        let enqueue =
            || HANDLE_PACER.sync_scope(handle.clone(), || enqueue_one(&send_queue, text, Epoch::default(), Some(0)));
        assert_eq!(PACER.sync_scope(connection.clone(), enqueue), EnqueueOutcome::Enqueued);
    };
    publish("a");
    assert!(!connection.is_held() && !handle.is_held(), "half of the queue is used");
    publish("b");
    assert!(connection.is_held() && handle.is_held());
    let before = Instant::now();
    assert!(timeout(Duration::from_millis(60), handle.ready()).await.is_err());
    assert!(handle.is_held(), "a call that was dropped ends no pause");
    // Either ends the pause of both.
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        handle.ready().await;
    };
    tokio::join!(handle.ready(), later);
    assert_eq!(before.elapsed(), Duration::from_millis(160));
    assert!(!handle.is_held() && connection.is_held(), "each has a pause of its own");
    handle.ready().now_or_never().expect("the pause is over");
    publish("c");
    assert!(handle.is_held(), "it is held again");
    assert_eq!(drain(&send_queue).unwrap(), ["a", "b", "c"]);
    handle.ready().now_or_never().expect("the reader has run");
    connection.ready().now_or_never().expect("the reader has run");
    publish("d");
    assert!(!handle.is_held());
}
