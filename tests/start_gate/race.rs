//! Revocations that race with actions between their permission and their body. A counter gives the order: it is read
//! when an action is marked as started (the trace `action started`), and after a revocation has returned.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::{KINDS, fixture, message};
use crate::common::rng::Rng;
use crate::common::start_observer::{StartObserver, number_of};

const SESSIONS: usize = 250;
const REVOCATIONS: usize = 100_000;
const DISCONNECTIONS: usize = 10_000;

static CLOCK: AtomicU64 = AtomicU64::new(1);
/// When the last action of each session was marked as started.
static STARTED: LazyLock<Vec<AtomicU64>> = LazyLock::new(|| (0..2 * SESSIONS).map(|_| AtomicU64::new(0)).collect());

/// Records when the action of a session was marked as started.
fn record_start(route: &str) {
    if let Some(started) = number_of(route, "docs/").and_then(|session| STARTED.get(session)) {
        started.store(now(), Ordering::SeqCst);
    }
}

fn observe() {
    // The other test of this file may have set it.
    let _ = tracing::subscriber::set_global_default(StartObserver(record_start));
}

/// Counts the outcomes of the races.
#[derive(Default)]
struct Tally {
    began: AtomicUsize,
    refused: AtomicUsize,
    /// Began after the revocation had returned.
    late: AtomicUsize,
}

impl Tally {
    fn count(&self, session: usize, returned: u64) {
        let started = STARTED[session].load(Ordering::SeqCst);
        let count = match started {
            0 => &self.refused,
            before if before < returned => &self.began,
            _ => &self.late,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn check(&self, races: usize) {
        let [began, refused, late] = [&self.began, &self.refused, &self.late].map(|count| count.load(Ordering::SeqCst));
        println!("{races} revocations: {began} began before, {refused} did not begin, {late} began after");
        assert_eq!(late, 0, "bodies began after the revocation had returned");
        assert!(began > races / 1000 && refused > races / 1000, "hardly a race: {began} began, {refused} did not");
    }
}

fn now() -> u64 {
    CLOCK.fetch_add(1, Ordering::SeqCst)
}

async fn pause(rng: &mut Rng) {
    tokio::time::sleep(Duration::from_micros(rng.below(2_000_u64))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn action_does_not_start_after_refresh_user_has_returned() {
    observe();
    let (fixture, tally) = (fixture(), Tally::default());
    let sessions = (0..SESSIONS).map(|session| {
        let (fixture, tally) = (&fixture, &tally);
        async move {
            let id = u32::try_from(session).unwrap();
            let (kind, mut rng) = (KINDS[session % KINDS.len()], Rng(0x9E37_79B9 + u64::from(id)));
            let (mut client, account) = fixture.open(id).await;
            account.delay.store(1, Ordering::SeqCst);
            let connections = fixture.library.connections();
            for _ in 0..REVOCATIONS / SESSIONS {
                account.may_edit.store(true, Ordering::SeqCst);
                assert!(connections.refresh_user(&id.to_string()).await.is_acknowledged());
                STARTED[session].store(0, Ordering::SeqCst);
                client.send(message(kind, id));
                pause(&mut rng).await;
                account.may_edit.store(false, Ordering::SeqCst);
                assert!(connections.refresh_user(&id.to_string()).await.is_acknowledged());
                let returned = now();
                let reply = client.reply().await;
                tally.count(session, returned);
                let began = STARTED[session].load(Ordering::SeqCst) != 0;
                assert!(began || reply.status() == 403, "an action that did not begin was answered {}", reply.status());
            }
        }
    });
    join_all(sessions).await;
    tally.check(REVOCATIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn action_does_not_start_after_disconnect_user_has_returned() {
    observe();
    let (fixture, tally) = (fixture(), Tally::default());
    let sessions = (SESSIONS..2 * SESSIONS).map(|session| {
        let (fixture, tally) = (&fixture, &tally);
        async move {
            let id = u32::try_from(session).unwrap();
            let (kind, mut rng) = (KINDS[session % KINDS.len()], Rng(0x9E37_79B9 + u64::from(id)));
            let mut returned = None;
            for _ in 0..DISCONNECTIONS / SESSIONS {
                let (mut client, account) = fixture.open(id).await;
                account.delay.store(1, Ordering::SeqCst);
                // Only now, as what runs in the blocking pool may outlive its connection.
                if let Some(returned) = returned {
                    tally.count(session, returned);
                }
                STARTED[session].store(0, Ordering::SeqCst);
                client.send(message(kind, id));
                pause(&mut rng).await;
                assert!(fixture.library.connections().disconnect_user(&id.to_string()).await.is_acknowledged());
                returned = Some(now());
                drop(client);
                account.left.notified().await;
            }
        }
    });
    join_all(sessions).await;
    tally.check(DISCONNECTIONS);
}
