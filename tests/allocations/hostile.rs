//! What one hostile connection can cost: memory that it makes the server hold, and how often application code runs for it.
//! The rows of the table in the chapter on limits.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use garde::Validate;
use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, ConnectContext, Context, Endpoint, Event, Group, OverflowPolicy, Result, User, consumer};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const KIB: u64 = 1024;
/// Just below the default of `Limits::max_frame_bytes`.
const LARGE: usize = 60 * 1024;
const CONNECTIONS: u64 = 20;

struct Member;

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        "7".into()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Target, permission = AllowAny, publish = members, events(Said))]
struct Hall(u32);

#[derive(Event)]
struct Said(String);

#[derive(Deserialize, Validate)]
#[garde(transparent)]
struct Sample(#[garde(range(max = 0))] u8);

#[derive(Default)]
struct State {
    running: AtomicUsize,
    verified: AtomicUsize,
}

struct Target(Arc<State>);

#[consumer(user = Member)]
impl Target {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Hall(0)).await
    }

    #[authenticate]
    async fn authenticate(&self, token: String) -> Result<Option<Member>> {
        self.0.verified.fetch_add(1, Ordering::SeqCst);
        Ok((token == "7").then_some(Member))
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, Member>, hall: u32) -> Result<()> {
        cx.join(Hall(hall)).await
    }

    #[action(permission = AllowAny)]
    async fn long_reply(&self) -> String {
        "x".repeat(1024 * 1024)
    }

    #[action(permission = AllowAny)]
    async fn sum(&self, values: Vec<u64>) -> u64 {
        values.iter().sum()
    }

    #[action(permission = AllowAny, validate)]
    async fn measure(&self, samples: HashMap<String, Vec<Sample>>) -> usize {
        samples.len()
    }

    #[action(permission = AllowAny, detached)]
    async fn hang(&self) {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &str {
        &event.0
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn target() -> (Arc<State>, Endpoint<Target>) {
    let state = Arc::<State>::default();
    (state.clone(), portcullis::websocket(Target(state)))
}

async fn open(target: &Endpoint<Target>) -> Client {
    let mut client = connect(target).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

/// Returns the bytes that are allocated at the end and were not before.
fn retained(allocations: &AllocationInfo) -> u64 {
    u64::try_from(allocations.bytes_current).unwrap_or(0)
}

#[test]
fn idle_connection_is_small_again_after_a_burst() {
    let (runtime, (_, target)) = (runtime(), target());
    let mut clients = Vec::new();
    let opened = measure(|| {
        clients = runtime.block_on(async {
            let mut clients = Vec::new();
            for _ in 0..CONNECTIONS {
                clients.push(open(&target).await);
            }
            clients
        });
    });
    let burst = measure(|| {
        runtime.block_on(async {
            for _ in 0..256 {
                target.publisher().publish(&Hall(0), Said("x".repeat(2048)));
            }
            for client in &mut clients {
                for _ in 0..256 {
                    assert_eq!(client.reply().await.event_name(), Some("said"));
                }
                assert_eq!(client.call("long_reply").await.status(), 200);
            }
        });
    });
    let after = measure(|| runtime.block_on(async { sleep(Duration::from_secs(30)).await }));
    println!("after the burst: {}, later: {}", burst.bytes_current, after.bytes_current);
    let idle = u64::try_from((burst.bytes_current + after.bytes_current).max(0)).unwrap() / CONNECTIONS;
    println!("per idle connection: {} bytes, and {idle} more after a burst", retained(&opened) / CONNECTIONS);
    assert!(burst.bytes_max > 512 * KIB, "the burst is measured");
    assert!(idle < 6 * KIB, "{idle} bytes per connection after a burst");
    drop(clients);
}

#[test]
fn headers_that_are_not_kept_cost_nothing() {
    let (runtime, (_, target)) = (runtime(), target());
    let retained = |value_bytes: usize| {
        let mut client = None;
        let header = "x".repeat(value_bytes);
        let opened = measure(|| {
            client = Some(runtime.block_on(async {
                connect(&target).header("x-large", &header).header("cookie", &header).open().await.unwrap()
            }));
        });
        drop(client);
        retained(&opened)
    };
    retained(1);
    let (small, large) = (retained(1), retained(190_000));
    assert!(large.abs_diff(small) < 256, "{small} bytes with small headers, {large} with large ones");
}

#[test]
fn send_queue_holds_at_most_four_times_its_capacity() {
    let (runtime, (_, target)) = (runtime(), target());
    let target = target.overflow_policy(OverflowPolicy::DropOldest);
    let client = runtime.block_on(open(&target));
    let published = measure(|| {
        // The connection's task does not run meanwhile.
        for _ in 0..2000 {
            target.publisher().publish(&Hall(0), Said("x".repeat(16 * 1024)));
        }
    });
    // Per event: the frame, which counts, its spare capacity, and the event.
    let (capacity, max) = (4 * 1024 * KIB, published.bytes_max);
    println!("a full send queue of {capacity} bytes needs {max} bytes");
    assert!((capacity..capacity / 4 * 13).contains(&max), "{max} bytes");
    drop(client);
}

#[test]
fn memberships_are_bounded_and_small() {
    let (runtime, (_, target)) = (runtime(), target());
    let mut client = runtime.block_on(open(&target));
    let mut joined = 0;
    let joins = measure(|| {
        runtime.block_on(async {
            for hall in 1..1000 {
                joined += u64::from(client.call("join").with("hall", hall).await.status() == 200);
            }
        });
    });
    assert_eq!(joined, 255, "one group was joined before");
    assert!(retained(&joins) / joined < KIB, "{} bytes per membership", retained(&joins) / joined);
}

#[test]
fn detached_actions_are_bounded() {
    let (runtime, (state, target)) = (runtime(), target());
    let mut client = runtime.block_on(open(&target));
    let flood = measure(|| {
        runtime.block_on(async {
            for _ in 0..1000 {
                client.send(r#"{"action":"hang"}"#);
            }
            for _ in 8..1000 {
                assert_eq!(client.reply().await.status(), 429);
            }
            client.expect_silence().await;
        });
    });
    assert_eq!(state.running.load(Ordering::SeqCst), 8);
    assert!(retained(&flood) < 256 * KIB, "{} bytes", retained(&flood));
}

#[test]
fn authentication_attempts_are_bounded() {
    let (runtime, (state, target)) = (runtime(), target());
    let mut client = runtime.block_on(open(&target));
    runtime.block_on(async {
        for attempt in 0..100 {
            let reply = client.call("authenticate").with("token", "guess").await;
            assert_eq!(reply.status(), if attempt < 10 { 403 } else { 429 });
        }
    });
    assert_eq!(state.verified.load(Ordering::SeqCst), 10);
}

/// Sends a message and returns the status of its reply with the largest amount of memory that it needed at once.
fn cost_of(message: &str) -> (u16, u64) {
    let (runtime, (_, target)) = (runtime(), target());
    let mut client = runtime.block_on(open(&target));
    let mut status = 0;
    client.send(message);
    let cost = measure(|| status = runtime.block_on(client.reply()).status());
    (status, cost.bytes_max)
}

/// The reply names a bounded number of fields, and formats no more of their paths than it shows: what a long key costs does not
/// depend on the number of values that are refused under it.
#[test]
fn validation_needs_memory_in_proportion_to_the_values_that_it_refuses() {
    for key_bytes in [1, LARGE / 2] {
        let (key, ones) = ("k".repeat(key_bytes), "1,".repeat(LARGE / 5));
        let message = format!(r#"{{"action":"measure","samples":{{"{key}":[{ones}1]}}}}"#);
        let (runtime, (_, target)) = (runtime(), target());
        let mut client = runtime.block_on(open(&target));
        let mut reply = None;
        client.send(&*message);
        let cost = measure(|| reply = Some(runtime.block_on(client.reply())));
        let reply = reply.unwrap();
        assert_eq!((reply.status(), reply.value()["errors"].as_array().unwrap().len()), (400, 32));
        let per_value = (cost.bytes_total / (LARGE / 5) as u64, cost.bytes_max / (LARGE / 5) as u64);
        println!("key of {key_bytes} bytes: {per_value:?} bytes per value, in total and at once");
        assert!(per_value.0 <= 768 && per_value.1 <= 384, "{per_value:?} bytes per value");
    }
}

/// A message needs memory in proportion to its size, whatever it contains: at most 32 bytes per byte.
#[test]
fn message_needs_memory_in_proportion_to_its_size() {
    let fill = |text: &str| text.repeat(LARGE / text.len() / 2);
    let (open, close, ones, segments) = (fill("["), fill("]"), fill("1,"), fill("a/"));
    let keys = (0..LARGE / 16).map(|key| format!("\"k{key}\":1,")).collect::<Vec<_>>().concat();
    for (message, status) in [
        (format!(r#"{{"action":"sum","values":[{ones}1]}}"#), 200),
        (format!(r#"{{"action":"sum","values":{open}{close}}}"#), 400),
        (format!(r#"{{"action":"sum","route":"{segments}"}}"#), 404),
        (format!(r#"{{"action":"{segments}"}}"#), 405),
        (format!(r#"{{"action":"ping","request_id":"{segments}"}}"#), 400),
        (format!(r#"{{{keys}"action":"ping"}}"#), 200),
        (format!(r#"{{"action":"ping","text":"{}"}}"#, fill(r"\u0041")), 200),
    ] {
        let (actual, max) = cost_of(&message);
        let per_byte = max / message.len() as u64;
        println!("{} bytes: status {actual}, {max} bytes at once, {per_byte} per byte", message.len());
        assert_eq!(actual, status, "{}", &message[..60]);
        assert!(per_byte <= 32, "{per_byte} bytes per byte: {}", &message[..60]);
    }
}
