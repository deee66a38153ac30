//! `#[action(timeout = "..")]`: the time limit of one action, checks included, instead of `Limits::action_timeout`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Audit, Context, Disconnect, Endpoint, Handler, Limits, Permission, PermissionContext, Result, Streamed,
    consumer, handler,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::common::limits::without_heartbeat;
use crate::common::progress::Progress;

/// Takes three seconds.
struct SlowCheck;

impl<H: Handler> Permission<H> for SlowCheck {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        sleep(Duration::from_secs(3)).await;
        Ok(true)
    }
}

struct Granary {
    progress: Arc<Progress>,
    shelves: Shelves,
}

struct Shelves;

type Values = Streamed<Pin<Box<dyn Stream<Item = u8> + Send>>>;

/// Sends a value, and never another one.
fn stalled_values() -> Values {
    Streamed(stream::iter([1]).chain(stream::pending()).boxed())
}

#[consumer]
impl Granary {
    #[disconnect]
    async fn disconnected(&self, _: &Disconnect<'_, ()>) {
        self.progress.record("disconnected");
        self.progress.disconnected.notify_one();
    }

    #[route("shelves/", permission = SlowCheck)]
    fn shelves(&self) -> &Shelves {
        &self.shelves
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny, timeout = "1500ms")]
    async fn wait_briefly(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny, timeout = "55s")]
    async fn wait_long(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny, timeout = "40s", detached)]
    async fn wait_detached(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny, timeout = "2s")]
    async fn values(&self) -> Values {
        stalled_values()
    }

    #[action(permission = AllowAny, timeout = "40s", blocking)]
    fn values_blocking(&self) -> Values {
        stalled_values()
    }

    /// Ends after 20 seconds.
    #[action(permission = AllowAny, timeout = "30s")]
    async fn import(&self, name: String) {
        self.progress.record(format!("{name} begins"));
        self.progress.started.add_permits(1);
        sleep(Duration::from_secs(20)).await;
        self.progress.record(format!("{name} ends"));
    }

    #[action(permission = AllowAny, timeout = "30s", detached)]
    async fn import_detached(&self, name: String) {
        self.import(name).await;
    }

    #[action(permission = AllowAny, timeout = "100ms", blocking)]
    fn block(&self, _cx: &Context<'_, ()>) {
        tokio::runtime::Handle::current().block_on(self.progress.wait());
    }
}

#[handler(permission = AllowAny)]
impl Shelves {
    #[action(timeout = "2s")]
    async fn look(&self) {}

    #[action(timeout = "4s")]
    async fn search(&self) {
        std::future::pending::<()>().await;
    }
}

fn granary() -> (Arc<Progress>, Endpoint<Granary>) {
    let progress = Progress::new();
    let granary = Granary { progress: progress.clone(), shelves: Shelves };
    let limits = Limits { action_timeout: Duration::from_secs(10), ..without_heartbeat() };
    (progress, portcullis::websocket(granary).limits(limits))
}

async fn open(granary: &Endpoint<Granary>) -> Client {
    connect(granary).open().await.unwrap()
}

fn import(action: &str, name: &str) -> String {
    format!(r#"{{"action":"{action}","name":"{name}"}}"#)
}

#[tokio::test(start_paused = true)]
async fn time_limit_of_an_action_is_shorter_or_longer_than_that_of_all() {
    let (_, granary) = granary();
    let mut client = open(&granary).await;
    for (action, millis) in
        [("wait", 10_000), ("wait_briefly", 1500), ("wait_long", 55_000), ("wait_detached", 40_000), ("wait", 10_000)]
    {
        let start = Instant::now();
        let reply = client.call(action).await;
        assert_eq!((reply.status(), reply.code()), (408, "timeout"), "{action}");
        assert_eq!(start.elapsed(), Duration::from_millis(millis), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_limit_of_an_action_includes_its_checks() {
    let (_, granary) = granary();
    let mut client = open(&granary).await;
    for (action, seconds, status) in [("look", 2, 500), ("search", 4, 408)] {
        let start = Instant::now();
        client.send(format!(r#"{{"action":"{action}","route":"shelves/"}}"#));
        assert_eq!(client.reply().await.status(), status, "{action}");
        assert_eq!(start.elapsed(), Duration::from_secs(seconds), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_limit_of_a_streaming_action_is_that_of_each_value() {
    let (_, granary) = granary();
    let mut client = open(&granary).await;
    client.send(r#"{"action":"values"}"#);
    assert_eq!(client.reply().await.data(), 1);
    let start = Instant::now();
    let last = client.reply().await;
    assert_eq!((last.status(), start.elapsed()), (408, Duration::from_secs(2)));
}

#[tokio::test]
async fn time_limit_of_a_blocking_action_is_its_own() {
    let (progress, granary) = granary();
    let mut client = open(&granary).await;
    let start = Instant::now();
    assert_eq!(client.call("block").await.status(), 408);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    progress.resume(1);
    tokio::time::pause();
    client.send(r#"{"action":"values_blocking"}"#);
    assert_eq!(client.reply().await.data(), 1);
    let start = Instant::now();
    assert_eq!((client.reply().await.status(), start.elapsed().as_secs()), (408, 40));
}

#[tokio::test(start_paused = true)]
async fn action_that_has_begun_runs_to_its_own_limit_after_the_end_of_its_connection() {
    for action in ["import", "import_detached"] {
        for is_peer in [true, false] {
            let (progress, granary) = granary();
            let mut client = open(&granary).await;
            client.send(import(action, "it"));
            progress.started(1).await;
            if is_peer {
                drop(client);
            } else {
                client.send("x".repeat(1024 * 1024));
            }
            progress.disconnected.notified().await;
            assert_eq!(progress.log(), ["it begins", "it ends", "disconnected"], "{action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_begin_after_the_end_share_the_time_limit_of_all_actions() {
    let (progress, granary) = granary();
    let mut client = open(&granary).await;
    for message in [r#"{"action":"wait_briefly"}"#.to_owned(), import("import", "second"), import("import", "third")] {
        client.send(message);
    }
    client.expect_silence().await;
    drop(client);
    let start = Instant::now();
    progress.disconnected.notified().await;
    assert_eq!(progress.log(), ["second begins", "disconnected"]);
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[test]
fn audit_has_the_time_limits_of_actions() {
    let audit = Audit::of::<Granary>();
    let find = |action| audit.entries().iter().find(|entry| entry.action == action).unwrap();
    assert_eq!((find("wait").timeout, find("wait_long").timeout), (None, Some(Duration::from_secs(55))));
    let text = audit.to_string();
    for line in ["look           AllowAny & SlowCheck [timeout 2s]", "wait_briefly     AllowAny [timeout 1.5s]"] {
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(text.lines().any(|line| words.iter().all(|word| line.contains(word))), "{line}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&audit.to_json()).unwrap();
    let timeouts: Vec<_> = json.as_array().unwrap().iter().filter_map(|entry| entry.get("timeout")).collect();
    assert_eq!(timeouts[..2], [&json!("1.5s"), &json!("55s")]);
}
