//! Dispatch order, timeouts, blocking actions, pings and idle clients.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Endpoint, Handler, Limits, Permission, PermissionContext, Result, consumer};
use tokio::sync::{Notify, Semaphore};

struct Queue {
    permits: Arc<Semaphore>,
    started: Arc<Notify>,
    running: AtomicU32,
    blocker: Mutex<Option<mpsc::Receiver<()>>>,
    begun_log: Arc<Mutex<Vec<u32>>>,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            permits: Arc::new(Semaphore::new(0)),
            started: Arc::default(),
            running: AtomicU32::new(0),
            blocker: Mutex::default(),
            begun_log: Arc::default(),
        }
    }
}

#[consumer]
impl Queue {
    #[action(permission = AllowAny)]
    async fn wait(&self, n: u32) -> u32 {
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "two actions of one connection run at once");
        self.started.notify_one();
        self.permits.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        n
    }

    #[action(permission = AllowAny)]
    async fn quick(&self, n: u32) -> u32 {
        assert_eq!(self.running.load(Ordering::SeqCst), 0, "overtaken");
        n
    }

    #[action(permission = AllowAny)]
    async fn forever(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = NeverReturns)]
    async fn guarded(&self) {}

    #[action(permission = AllowAny, blocking)]
    fn block(&self, n: u32) -> u32 {
        self.begun_log.lock().unwrap().push(n);
        if let Some(blocker) = self.blocker.lock().unwrap().take() {
            self.started.notify_one();
            let _ = blocker.recv();
        }
        n
    }

    #[action(permission = AllowAny, blocking)]
    fn block_on_runtime(&self) -> u8 {
        let lock = tokio::sync::Mutex::new(());
        drop(lock.blocking_lock());
        tokio::runtime::Handle::current().block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            7
        })
    }

    #[action(permission = AllowAny, blocking)]
    fn block_and_panic(&self) {
        panic!("a secret");
    }

    #[action(permission = NeverReturns, blocking)]
    fn block_guarded(&self) {}

    #[action(permission = WaitsForPermit, blocking)]
    fn block_guarded_by_permit(&self) {
        self.begun_log.lock().unwrap().push(0);
    }
}

/// Never returns.
struct NeverReturns;

impl<H: Handler> Permission<H> for NeverReturns {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        std::future::pending().await
    }
}

/// Allows the action once it gets a permit.
struct WaitsForPermit;

impl Permission<Queue> for WaitsForPermit {
    async fn has_permission(&self, queue: &Queue, _: &PermissionContext<'_, ()>) -> Result<bool> {
        queue.started.notify_one();
        let _permit = queue.permits.acquire().await;
        Ok(true)
    }
}

async fn open(endpoint: &Endpoint<Queue>) -> Client {
    connect(endpoint).open().await.unwrap()
}

#[tokio::test]
async fn messages_of_a_connection_are_answered_one_by_one_in_order() {
    let queue = Queue::default();
    let (permits, started) = (queue.permits.clone(), queue.started.clone());
    let mut client = open(&portcullis::websocket(queue)).await;
    // More messages than are read ahead.
    for n in 0..100 {
        let action = if n % 2 == 0 { "wait" } else { "quick" };
        client.send(format!(r#"{{"action":"{action}","n":{n}}}"#));
    }
    started.notified().await;
    client.expect_silence().await;
    permits.add_permits(100);
    for n in 0..100 {
        assert_eq!(client.reply().await.data(), n);
    }
}

#[tokio::test(start_paused = true)]
async fn action_over_its_timeout_is_answered_with_408() {
    let mut client = open(&portcullis::websocket(Queue::default())).await;
    let before = tokio::time::Instant::now();
    let reply = client.call("forever").await;
    assert_eq!((reply.status(), reply.code()), (408, "timeout"));
    assert_eq!(before.elapsed().as_secs(), Limits::default().action_timeout.as_secs());
    assert_eq!(client.call("quick").with("n", 1).await.data(), 1);
    // A permission that times out is an internal error.
    let reply = client.call("guarded").await;
    assert_eq!((reply.status(), reply.code()), (500, "internal_error"));
    assert_eq!(client.call("quick").with("n", 2).await.data(), 2);
}

#[tokio::test]
async fn blocking_action_over_its_timeout_is_answered_with_408() {
    let limits = Limits { action_timeout: Duration::from_millis(20), ..Limits::default() };
    let queue = Queue::default();
    let (release, blocker) = mpsc::channel();
    *queue.blocker.lock().unwrap() = Some(blocker);
    let mut client = open(&portcullis::websocket(queue).limits(limits)).await;
    assert_eq!(client.call("block").with("n", 1).await.status(), 408);
    release.send(()).unwrap();
    assert_eq!(client.call("block_guarded").await.status(), 500);
    assert_eq!(client.call("block").with("n", 2).await.data(), 2);
}

#[tokio::test]
async fn blocking_action_does_not_block_the_runtime() {
    let queue = Queue::default();
    let (release, blocker) = mpsc::channel();
    *queue.blocker.lock().unwrap() = Some(blocker);
    let started = queue.started.clone();
    let endpoint = portcullis::websocket(queue);
    let (mut first, mut second) = (open(&endpoint).await, open(&endpoint).await);
    first.send(r#"{"action":"block","n":1}"#);
    started.notified().await;
    // The only thread of the runtime is free.
    assert_eq!(second.call("quick").with("n", 2).await.data(), 2);
    release.send(()).unwrap();
    assert_eq!(first.reply().await.data(), 1);
    assert_eq!(first.call("block_on_runtime").await.data(), 7);
    let reply = first.call("block_and_panic").await;
    assert!(reply.status() == 500 && !reply.text().contains("secret"), "{reply:?}");
    assert_eq!(first.call("block").with("n", 3).await.data(), 3);
    assert_eq!(first.call("block").with("n", "x").await.status(), 400);
}

#[tokio::test(start_paused = true)]
async fn idle_client_is_pinged_and_closed_with_4508() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(35),
        send_timeout: Duration::from_secs(35),
        ..Limits::default()
    };
    let endpoint = portcullis::websocket(Queue::default()).limits(limits);
    let mut client = connect(&endpoint).answer_pings(false).open().await.unwrap();
    let begin = tokio::time::Instant::now();
    assert_eq!(client.call("quick").with("n", 1).await.data(), 1);
    assert_eq!(client.closed().await, 4508);
    assert_eq!((begin.elapsed().as_secs(), client.pings()), (35, 3));
}

#[tokio::test(start_paused = true)]
async fn client_that_sends_is_not_idle_and_is_pinged_during_actions() {
    let limits =
        Limits { ping_interval: Duration::from_secs(10), action_timeout: Duration::from_secs(21), ..Limits::default() };
    let endpoint = portcullis::websocket(Queue::default()).limits(limits);
    let mut client = connect(&endpoint).answer_pings(false).open().await.unwrap();
    for _ in 0..11 {
        assert_eq!(client.call("forever").await.status(), 408);
    }
    assert_eq!(client.pings(), 23);
}

#[test]
fn blocking_action_that_timed_out_in_the_pool_queue_never_begins() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let limits = Limits { action_timeout: Duration::from_millis(20), ..Limits::default() };
        let queue = Queue::default();
        let (release, blocker) = mpsc::channel();
        *queue.blocker.lock().unwrap() = Some(blocker);
        let begun_log = queue.begun_log.clone();
        let endpoint = portcullis::websocket(queue).limits(limits);
        let (mut first, mut second) = (open(&endpoint).await, open(&endpoint).await);
        // The first action has the only thread of the pool.
        assert_eq!(first.call("block").with("n", 1).await.status(), 408);
        assert_eq!(second.call("block").with("n", 2).await.status(), 408);
        release.send(()).unwrap();
        // The thread takes its work in order, so this runs after all work that was queued before.
        let limits = Limits::default();
        let mut last = open(&endpoint.limits(limits)).await;
        assert_eq!(last.call("block").with("n", 4).await.data(), 4);
        assert_eq!(*begun_log.lock().unwrap(), [1, 4]);
    });
}

#[tokio::test(start_paused = true)]
async fn maximal_durations_in_limits_are_accepted() {
    let limits = Limits {
        ping_interval: Duration::MAX,
        idle_timeout: Duration::MAX,
        send_timeout: Duration::MAX,
        action_timeout: Duration::MAX,
        ..Limits::default()
    };
    let mut client = open(&portcullis::websocket(Queue::default()).limits(limits)).await;
    assert_eq!(client.call("quick").with("n", 1).await.data(), 1);
    tokio::time::sleep(Duration::from_hours(100)).await;
    assert_eq!(client.call("quick").with("n", 2).await.data(), 2);
    assert_eq!(client.pings(), 0);
}

#[test]
fn blocking_action_of_a_gone_client_begins_after_its_checks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let queue = Queue::default();
        let (permits, started, begun_log) = (queue.permits.clone(), queue.started.clone(), queue.begun_log.clone());
        let endpoint = portcullis::websocket(queue);
        let (mut leaving, mut staying) = (open(&endpoint).await, open(&endpoint).await);
        leaving.send(r#"{"action":"block_guarded_by_permit"}"#);
        started.notified().await;
        drop(leaving);
        permits.add_permits(10);
        assert_eq!(staying.call("block").with("n", 1).await.data(), 1);
        assert_eq!(*begun_log.lock().unwrap(), [0, 1]);
    });
}

#[tokio::test(start_paused = true)]
async fn message_read_ahead_resets_the_idle_timeout() {
    let limits = Limits {
        idle_timeout: Duration::from_secs(10),
        send_timeout: Duration::from_secs(10),
        max_read_ahead: 1,
        ..Limits::default()
    };
    let queue = Queue::default();
    let permits = queue.permits.clone();
    let mut client = open(&portcullis::websocket(queue).limits(limits)).await;
    let after = |millis| tokio::time::sleep(Duration::from_millis(millis));
    client.send(r#"{"action":"wait","n":1}"#);
    after(1000).await;
    client.send(r#"{"action":"quick","n":2}"#);
    after(8000).await;
    client.send(r#"{"action":"quick","n":3}"#);
    after(500).await;
    permits.add_permits(1);
    for n in 1..=3 {
        assert_eq!(client.reply().await.data(), n);
    }
    after(5000).await;
    assert_eq!(client.call("quick").with("n", 4).await.data(), 4);
}
