//! Random messages of every kind among random changes, and connections that end: a reply of 2xx was allowed when it was
//! sent, each message gets one last reply while its connection is open, and queued actions are answered in order.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use portcullis::testing::{Client, Reply, connect};
use portcullis::{
    AllowAny, Connections, Created, Endpoint, Error, Limits, Permission, PermissionContext, Propagation, Result,
    Streamed, consumer,
};
use tokio::time::{Instant, sleep};

use crate::common::limits::without_heartbeat;
use crate::common::rng::Rng;

#[derive(Default)]
struct State {
    allowed: AtomicBool,
    /// How long an evaluation takes, in milliseconds.
    evaluation_millis: AtomicUsize,
    running: AtomicUsize,
}

struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Fair(Arc<State>);

impl Fair {
    async fn run(&self, time: u64) -> u64 {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(self.0.clone());
        if time > 0 {
            sleep(Duration::from_millis(time)).await;
        }
        time
    }
}

struct Allowed;

impl Permission<Fair> for Allowed {
    async fn has_permission(&self, fair: &Fair, _: &PermissionContext<'_, ()>) -> Result<bool> {
        // The verdict may be outdated when it is returned.
        let allowed = fair.0.allowed.load(Ordering::SeqCst);
        let evaluation_millis = fair.0.evaluation_millis.load(Ordering::SeqCst);
        if evaluation_millis > 0 {
            sleep(Duration::from_millis(evaluation_millis as u64)).await;
        }
        Ok(allowed)
    }
}

type Values = Streamed<Pin<Box<dyn Stream<Item = u64> + Send>>>;

fn values(state: &Arc<State>, time: u64, count: u64) -> Values {
    let fair = Fair(state.clone());
    let all = stream::unfold((fair, 0), move |(fair, at)| async move {
        fair.run(time).await;
        (at < count).then_some((at, (fair, at + 1)))
    });
    Streamed(all.boxed())
}

#[consumer]
impl Fair {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = Allowed)]
    async fn queue(&self, time: u64, fails: bool) -> Result<Created<u64>> {
        let time = self.run(time).await;
        if fails { Err(Error::conflict("It is taken.")) } else { Ok(Created(time)) }
    }

    #[action(permission = Allowed, detached)]
    async fn detached(&self, time: u64, fails: bool) -> Result<u64> {
        let time = self.run(time).await;
        if fails { Err(Error::conflict("It is taken.")) } else { Ok(time) }
    }

    #[action(permission = Allowed)]
    async fn stream(&self, time: u64, count: u64) -> Values {
        values(&self.0, time, count)
    }

    #[action(permission = Allowed, in_order)]
    async fn stream_in_order(&self, time: u64, count: u64) -> Values {
        values(&self.0, time, count)
    }

    #[action(permission = Allowed, detached)]
    async fn stream_detached(&self, time: u64, count: u64) -> Values {
        values(&self.0, time, count)
    }
}

/// A message without a last reply.
struct PendingMessage {
    action: &'static str,
    sent: Instant,
    fails: bool,
}

/// One connection and its unanswered messages.
struct Guest {
    client: Client,
    next: u64,
    open: HashMap<u64, PendingMessage>,
    /// The last queued action that was answered completely.
    last_in_queue: u64,
}

struct Checker {
    state: Arc<State>,
    /// Whether a refresh has completed that revoked the right.
    is_forbidden: bool,
    /// When the action was last denied, if it is allowed now.
    last_denied: Option<Instant>,
    counts: HashMap<(&'static str, u16), u32>,
}

impl Checker {
    fn check_reply(&mut self, guest: &mut Guest, reply: &Reply) {
        let (id, status) = (reply.value()["request_id"].as_u64().unwrap(), reply.status());
        let Some(open) = guest.open.get(&id) else { panic!("answered twice: {reply:?}") };
        assert_eq!(reply.value()["action"], open.action);
        *self.counts.entry((open.action, status)).or_default() += 1;
        match status {
            200 | 201 => assert!(!self.is_forbidden && !open.fails, "on old rights: {reply:?}"),
            403 => {
                let denied_since = self.last_denied.is_some_and(|at| at >= open.sent);
                assert!(denied_since || !self.is_allowed(), "it was allowed all the time: {reply:?}");
            }
            409 => assert!(open.fails, "{reply:?}"),
            429 => assert!(open.action != "queue", "{reply:?}"),
            _ => panic!("{reply:?}"),
        }
        if reply.value()["last"] != false {
            if matches!(open.action, "queue" | "stream_in_order") {
                assert!(id > guest.last_in_queue, "out of order: {reply:?}");
                guest.last_in_queue = id;
            }
            guest.open.remove(&id);
        }
    }

    /// Checks every reply that has arrived.
    fn check_replies(&mut self, guests: &mut [Guest]) {
        for guest in guests {
            while let Some(reply) = guest.client.reply().now_or_never() {
                self.check_reply(guest, &reply);
            }
        }
    }

    fn is_allowed(&self) -> bool {
        self.state.allowed.load(Ordering::SeqCst)
    }

    fn set(&mut self, allowed: bool) {
        if !allowed || !self.is_allowed() {
            self.last_denied = Some(Instant::now());
        }
        self.state.allowed.store(allowed, Ordering::SeqCst);
    }
}

async fn guest(fair: &Endpoint<Fair>) -> Guest {
    let mut client = connect(fair).open().await.unwrap();
    client.send(r#"{"action":"ping"}"#);
    client.reply().await;
    Guest { client, next: 0, open: HashMap::new(), last_in_queue: 0 }
}

fn send(guest: &mut Guest, rng: &mut Rng) {
    guest.next += 1;
    let actions = ["queue", "detached", "detached", "stream", "stream_in_order", "stream_detached"];
    let action = actions[usize::try_from(rng.below(6)).unwrap()];
    let (time, count) = (rng.below(4) * rng.below(30), rng.below(4));
    let fails = !action.starts_with("stream") && rng.below(8) == 0;
    guest.open.insert(guest.next, PendingMessage { action, sent: Instant::now(), fails });
    guest.client.send(format!(
        r#"{{"action":"{action}","time":{time},"count":{count},"fails":{fails},"request_id":{}}}"#,
        guest.next
    ));
}

async fn run_random_steps(
    seed: u64,
    connections: Connections<Fair>,
    fair: Endpoint<Fair>,
    state: Arc<State>,
) -> Checker {
    let mut rng = Rng(seed);
    state.allowed.store(true, Ordering::SeqCst);
    let counts = HashMap::new();
    let mut checker = Checker { state: state.clone(), is_forbidden: false, last_denied: None, counts };
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(guest(&fair).await);
    }
    let mut refresh: Option<Pin<Box<dyn Future<Output = Propagation>>>> = None;
    for _ in 0..6000 {
        let at = usize::try_from(rng.below(3)).unwrap();
        match rng.below(20) {
            0..=6 if guests[at].open.len() < 20 => send(&mut guests[at], &mut rng),
            7..=9 => sleep(Duration::from_millis(rng.below(12))).await,
            10 if refresh.is_none() && rng.below(3) == 0 => {
                let allowed = rng.below(3) > 0;
                checker.is_forbidden = false;
                checker.set(allowed);
                state.evaluation_millis.store(usize::try_from(rng.below(3) * rng.below(5)).unwrap(), Ordering::SeqCst);
                refresh = Some(Box::pin(connections.refresh_all().revalidated()));
            }
            11..=13 => {
                if let Some(running) = &mut refresh
                    && futures_util::poll!(running).is_ready()
                {
                    refresh = None;
                    // Frames that have arrived by now were sent before the change completed.
                    checker.check_replies(&mut guests);
                    checker.is_forbidden = !checker.is_allowed();
                }
            }
            14 if rng.below(40) == 0 => guests[at] = guest(&fair).await,
            _ => checker.check_replies(&mut guests[at..=at]),
        }
    }
    if let Some(running) = refresh {
        assert!(running.await.is_acknowledged());
        checker.check_replies(&mut guests);
    }
    for guest in &mut guests {
        while !guest.open.is_empty() {
            let reply = guest.client.reply().await;
            checker.check_reply(guest, &reply);
        }
        guest.client.expect_silence().await;
    }
    assert_eq!(state.running.load(Ordering::SeqCst), 0, "including those of ended connections");
    checker
}

#[tokio::test(start_paused = true)]
async fn random_messages_and_changes_get_correct_replies_in_order() {
    let mut counts = HashMap::new();
    for seed in [0x2545_f491_4f6c_dd1d, 7, 0x9e37_79b9_7f4a_7c15] {
        let state = Arc::<State>::default();
        // A low limit, so that some detached actions and streams are refused.
        let limits = Limits { max_detached_actions: 3, max_streams: 4, ..without_heartbeat() };
        let fair = portcullis::websocket(Fair(state.clone())).limits(limits);
        let checker = run_random_steps(seed, fair.connections(), fair, state).await;
        for (kind, count) in checker.counts {
            *counts.entry(kind).or_insert(0) += count;
        }
    }
    let actions =
        [("queue", 201), ("detached", 200), ("stream", 200), ("stream_in_order", 200), ("stream_detached", 200)];
    for (action, well) in actions {
        for status in [well, 403] {
            let count = counts.get(&(action, status)).copied().unwrap_or_default();
            assert!(count > 100, "too few cases: {action} {status}: {counts:?}");
        }
    }
    for action in ["detached", "stream", "stream_detached"] {
        assert!(counts.get(&(action, 429)).is_some_and(|count| *count > 10), "{counts:?}");
    }
}
