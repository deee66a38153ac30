use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use futures_util::future::{join_all, pending};
use tokio::time::{Instant, sleep};

use super::*;
use crate::broker::event_log::LoggedMessage;

/// A store that replies after a while.
struct SlowStore {
    reply_delay: Duration,
    message: Bytes,
    message_count: u64,
    running: AtomicUsize,
    max_running: AtomicUsize,
}

impl SlowStore {
    fn new(reply_delay: Duration) -> Arc<SlowStore> {
        SlowStore::with_messages(reply_delay, Bytes::new(), 0)
    }

    fn with_messages(reply_delay: Duration, message: Bytes, message_count: u64) -> Arc<SlowStore> {
        let (running, max_running) = Default::default();
        Arc::new(SlowStore { reply_delay, message, message_count, running, max_running })
    }

    async fn reply(&self) {
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_running.fetch_max(running, Ordering::Relaxed);
        sleep(self.reply_delay).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl LogStore for SlowStore {
    fn read<'a>(&'a self, _: &'a LogId, _: Option<LogPosition>) -> BoxFuture<'a, Result<LogContents, ConnectionError>> {
        Box::pin(async {
            self.reply().await;
            let logged = |sequence| LoggedMessage { sequence, received_at: 0, message: self.message.clone() };
            let end = LogPosition { epoch: 1, sequence: self.message_count };
            Ok(LogContents { end, messages: Some((1..=self.message_count).map(logged).collect()) })
        })
    }

    fn purge<'a>(&'a self, _: &'a LogId) -> BoxFuture<'a, Result<(), ConnectionError>> {
        Box::pin(async {
            self.reply().await;
            Ok(())
        })
    }
}

fn log() -> LogId {
    LogId::new("Room", b"1", 100, Duration::from_mins(1))
}

fn access(store: &Arc<SlowStore>) -> LogAccess {
    let access = LogAccess::new("test");
    access.set(Some(store.clone()));
    access
}

/// Makes requests at the same time, and returns the number of those that succeed.
async fn successes(access: &LogAccess, count: usize) -> usize {
    let log = log();
    let requests = (0..count).map(|number| {
        let log = &log;
        async move {
            match number % 2 {
                0 => access.read(log, None).await.is_ok(),
                _ => access.purge(log, ready(())).await.is_ok(),
            }
        }
    });
    join_all(requests).await.into_iter().filter(|is_ok| *is_ok).count()
}

#[tokio::test(start_paused = true)]
async fn request_beyond_the_bound_waits_for_its_turn() {
    let store = SlowStore::new(Duration::from_millis(1500));
    assert_eq!(successes(&access(&store), 5 * MAX_REQUESTS).await, 5 * MAX_REQUESTS);
    assert_eq!(store.max_running.load(Ordering::Relaxed), MAX_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn request_without_a_turn_fails() {
    let (access, started_at) = (access(&SlowStore::new(Duration::from_millis(1900))), Instant::now());
    // The last of these start after 9.5 seconds.
    assert_eq!(successes(&access, 7 * MAX_REQUESTS).await, 6 * MAX_REQUESTS);
    assert!(started_at.elapsed() < Duration::from_secs(12));
    assert!(!access.has_failed.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn request_without_a_reply_fails() {
    let (access, started_at) = (access(&SlowStore::new(Duration::from_mins(1))), Instant::now());
    assert_eq!(access.read(&log(), None).await.unwrap_err().status(), 503);
    assert_eq!(access.purge(&log(), ready(())).await.unwrap_err().status(), 503);
    assert!(started_at.elapsed() < 2 * REPLY_TIMEOUT + Duration::from_millis(100));
    assert!(access.has_failed.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn read_of_too_many_bytes_is_refused() {
    for (message_count, is_refused) in [(16, false), (17, true)] {
        let message = Bytes::from(vec![0; MAX_READ_BYTES / 16]);
        let contents =
            access(&SlowStore::with_messages(Duration::ZERO, message, message_count)).read(&log(), None).await;
        let contents = contents.unwrap();
        assert_eq!((contents.end.sequence, contents.messages.is_none()), (message_count, is_refused));
    }
}

#[tokio::test(start_paused = true)]
async fn purge_waits_for_the_messages_before_it() {
    let access = access(&SlowStore::new(Duration::ZERO));
    let started_at = Instant::now();
    access.purge(&log(), sleep(Duration::from_secs(9))).await.unwrap();
    assert!(started_at.elapsed() >= Duration::from_secs(9));
    assert_eq!(access.purge(&log(), pending()).await.unwrap_err().status(), 503);
    assert!(started_at.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn purge_fails_if_the_connection_was_lost_meanwhile() {
    let store = SlowStore::new(Duration::ZERO);
    let access = access(&store);
    let lost = async {
        access.set(None);
        access.set(Some(SlowStore::new(Duration::ZERO)));
    };
    assert_eq!(access.purge(&log(), lost).await.unwrap_err().status(), 503);
    access.purge(&log(), ready(())).await.unwrap();
    assert!(!access.has_failed.load(Ordering::Relaxed));
}
