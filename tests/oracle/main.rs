//! Random permission trees, routes, layers and messages against a reference model written from the design alone.
//!
//! Compares the verdict, every evaluated leaf, in order and with all that it saw, and whether an action ran.

mod blocking;
mod case;
mod handlers;
#[path = "../common/log_capture.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests record the log with it")]
mod log_capture;
mod reference;
mod refusals;
mod safety;
mod script;
mod strategy;
mod timeouts;
mod trace;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use portcullis::testing::{Client, Rejected, Reply, connect};
use portcullis::{Endpoint, Limits, websocket};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use case::{Case, Message};
use handlers::Live;
use reference::Verdict;
use script::{Member, SCRIPTED_PANIC, SECRET, Script};

/// The number of cases. Each takes a few connections and a dozen messages.
const CASES: u32 = 2000;
/// The action timeout. The clock is paused: it costs nothing.
const ACTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of handshakes and messages per status, and of actions per depth.
type Tally = BTreeMap<(&'static str, u16), usize>;

#[test]
fn runtime_matches_the_reference_model_on_random_cases() {
    silence_scripted_panics();
    let tally = RefCell::new(Tally::new());
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 4000, ..Config::default() };
    IS_SHRINKING.set(true);
    let outcome = TestRunner::new(config).run(&strategy::case(), |case| {
        paused(run_case(&case, &mut tally.borrow_mut()));
        Ok(())
    });
    IS_SHRINKING.set(false);
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert_all_verdicts_occurred(&tally.into_inner());
}

/// A comparison in which a verdict hardly occurs would prove nothing about it.
fn assert_all_verdicts_occurred(tally: &Tally) {
    let often = |what, number| tally.get(&(what, number)).copied().unwrap_or(0);
    let wanted = [
        ("handshake", &[101, 401, 403, 500][..]),
        ("message", &[0, 200, 201, 400, 401, 403, 404, 405, 408, 429, 499, 500]),
        ("ran", &[0, 1, 2, 3]),
    ];
    for (what, numbers) in wanted {
        assert!(numbers.iter().all(|number| often(what, *number) >= 20), "{what}: {tally:?}");
    }
    let refused: usize = tally
        .iter()
        .filter(|((what, status), _)| *what == "handshake" && ![101, 401, 403, 500].contains(status))
        .map(|(_, n)| n)
        .sum();
    assert!(refused >= 20, "{tally:?}");
}

fn paused(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future);
}

/// Runs a case through the public API and compares.
async fn run_case(case: &Case, tally: &mut Tally) {
    let script = Arc::new(Script::new());
    let endpoint = endpoint(case, &script, ACTION_TIMEOUT);
    for handshake in &case.handshakes {
        script.handshake(handshake);
        let status = open(case, &endpoint).await.map_or_else(|status| status, |_| 101);
        let wanted = reference::handshake(case, handshake);
        let events = script.take_log();
        assert_eq!((status, &events), (wanted.status, &wanted.events), "connecting: {handshake:?}");
        safety::assert_accepted_rightly(case, handshake, status == 101, &events);
        *tally.entry(("handshake", status)).or_default() += 1;
    }
    script.accept_handshakes();
    let mut client = open(case, &endpoint).await.expect("an accepted handshake");
    for message in &case.messages {
        script.message(&message.answers, message.outcome);
        let wanted = reference::message(case, message);
        let status = exchange(&mut client, message, &message.route(&case.root), &wanted).await;
        let events = script.take_log();
        assert_eq!((status, &events), (wanted.status, &wanted.events), "{message:?}");
        *tally.entry(("message", status)).or_default() += 1;
        if let Some(depth) = safety::assert_ran_rightly(case, message, &events) {
            *tally.entry(("ran", u16::try_from(depth).unwrap())).or_default() += 1;
        }
    }
}

fn endpoint(case: &Case, script: &Arc<Script>, time: Duration) -> Endpoint<Live> {
    websocket(Live::consumer(case, script)).limits(Limits { action_timeout: time, ..Limits::default() })
}

async fn open(case: &Case, endpoint: &Endpoint<Live>) -> Result<Client, u16> {
    let connecting = connect(endpoint);
    let connecting = if case.logged_in { connecting.user(Member) } else { connecting };
    connecting.open().await.map_err(Rejected::status)
}

/// Sends a message and returns the status of its reply; 0 if there must be none.
async fn exchange(client: &mut Client, message: &Message, route: &str, wanted: &Verdict) -> u16 {
    let mut sent = json!({ "action": message.action, "request_id": 7 });
    if !route.is_empty() {
        sent["route"] = route.into();
    }
    client.send(sent.to_string());
    if wanted.status == 0 {
        client.expect_silence().await;
        return 0;
    }
    let reply = client.reply().await;
    assert_eq!(reply.code(), wanted.code, "{reply:?} for {message:?}");
    assert_addressed(&reply, message, route);
    if wanted.status == 200 {
        assert_eq!(reply.data(), true, "{message:?} did not run where its connection is served");
    }
    reply.status()
}

/// Asserts that a reply belongs to its message and reveals no internal error.
fn assert_addressed(reply: &Reply, message: &Message, route: &str) {
    let value = reply.value();
    let echoed = (value["action"].as_str(), value["route"].as_str(), value["request_id"].as_u64());
    assert_eq!(echoed, (Some(message.action), Some(route), Some(7)), "{reply:?}");
    assert!(!reply.text().contains(SECRET) && !reply.text().contains(SCRIPTED_PANIC), "{reply:?}");
}

thread_local! {
    /// Whether this thread is shrinking: only the smallest failing case is printed.
    static IS_SHRINKING: Cell<bool> = const { Cell::new(false) };
}

/// Panics that belong to the script are not printed.
fn silence_scripted_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some(SCRIPTED_PANIC) && !IS_SHRINKING.get() {
                before(panic);
            }
        }));
    });
}
