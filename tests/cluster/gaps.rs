//! `#[gap]`: what a machine does after events of others may have been lost.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use portcullis::testing::{Client, Cluster, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Event, EventPermission, Gap, Group, IsAuthenticated, Limits, Result, Scope, consumer,
    websocket,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use crate::common::{Member, member};

/// What a hook got: the rooms and the users, sorted.
type GapReport = (Vec<u32>, Vec<String>);

/// What the hook does after it has reported its gap.
const PUBLISH: u8 = 0;
const PANIC: u8 = 1;
const HANG: u8 = 2;

/// The longest wait before a test fails, longer than the longest pause between two hooks.
const PATIENCE: Duration = Duration::from_mins(3);

struct Board {
    gaps: UnboundedSender<GapReport>,
    mode: Arc<AtomicU8>,
    /// The number of hooks that run.
    running: AtomicU8,
}

#[derive(Debug, Serialize, Deserialize, Event)]
struct Outdated;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Board, permission = IsAuthenticated, publish = members, events(Outdated))]
struct Room(u32);

/// Holds except for guests.
struct IsNoGuest;

impl EventPermission<Outdated, Board> for IsNoGuest {
    fn may_see(&self, _: &Board, scope: &Scope<Member>, _: &Outdated) -> bool {
        scope.user().is_some_and(|user| !user.roles.contains(&"guest"))
    }
}

/// Counts a hook that runs, of which there is at most one.
struct Running<'b>(&'b AtomicU8);

impl Running<'_> {
    fn new(count: &AtomicU8) -> Running<'_> {
        assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0);
        Running(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[consumer(user = Member)]
impl Board {
    #[gap]
    async fn on_gap(&self, cx: &Gap<'_, Self>) {
        let _running = Running::new(&self.running);
        let mut rooms: Vec<u32> = cx.groups::<Room>().into_iter().map(|Room(room)| room).collect();
        let mut users = cx.users();
        rooms.sort_unstable();
        users.sort_unstable();
        self.gaps.send((rooms.clone(), users.clone())).unwrap();
        match self.mode.load(Ordering::SeqCst) {
            PANIC => panic!("the hook fails"),
            HANG => pending().await,
            _ => {}
        }
        for room in rooms {
            cx.publish_here(&Room(room), Outdated).await;
        }
        for user in users {
            cx.publish_to_user_here(&user, Outdated).await;
        }
    }

    #[event(permission = IsNoGuest)]
    fn outdated(_: &Outdated) -> &'static str {
        "load again"
    }

    #[action(permission = IsAuthenticated)]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

struct Machine {
    endpoint: Endpoint<Board>,
    gaps: UnboundedReceiver<GapReport>,
    mode: Arc<AtomicU8>,
}

fn machine(cluster: &Cluster, index: usize) -> Machine {
    let (sender, gaps) = unbounded_channel();
    let mode = Arc::new(AtomicU8::new(PUBLISH));
    let limits = Limits { action_timeout: Duration::from_secs(10), ..Limits::default() };
    let endpoint = websocket(Board { gaps: sender, mode: mode.clone(), running: AtomicU8::new(0) })
        .limits(limits)
        .broker(cluster.broker(index));
    Machine { endpoint, gaps, mode }
}

async fn enter(machine: &Machine, id: u32, roles: &[&'static str], room: u32) -> Client {
    let mut client = connect(&machine.endpoint).user(member(id, roles)).open().await.unwrap();
    assert_eq!(client.call("enter").with("room", room).await.status(), 200);
    client
}

/// Returns the name of the next event.
async fn name(client: &mut Client) -> String {
    client.event().await.value()["event"].as_str().unwrap().to_owned()
}

/// Waits until the machines know each other.
async fn settle() {
    sleep(Duration::from_secs(15)).await;
}

/// Returns the next report.
async fn next(machine: &mut Machine) -> GapReport {
    timeout(PATIENCE, machine.gaps.recv()).await.expect("the hook does not run").unwrap()
}

fn gap_report(rooms: &[u32], users: &[&str]) -> GapReport {
    (rooms.to_vec(), users.iter().map(|user| (*user).to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn machine_that_was_cut_off_runs_the_hook_once_for_its_groups_and_users() {
    let cluster = Cluster::new(2, 1);
    let (mut one, mut other) = (machine(&cluster, 0), machine(&cluster, 1));
    let mut elsewhere = enter(&one, 1, &[], 5).await;
    let mut member = enter(&other, 2, &[], 5).await;
    let mut guest = enter(&other, 3, &["guest"], 6).await;
    settle().await;
    assert!(one.gaps.try_recv().is_err() && other.gaps.try_recv().is_err(), "nothing is lost yet");
    cluster.partition(1);
    sleep(Duration::from_secs(20)).await;
    assert!(other.gaps.try_recv().is_err(), "not before the broker is back");
    cluster.heal(1);
    assert_eq!(next(&mut other).await, gap_report(&[5, 6], &["2", "3"]));
    // By the group and by the user. The permission of the event holds here too.
    assert_eq!([name(&mut member).await, name(&mut member).await], ["outdated"; 2]);
    assert_eq!(guest.call("ping").await.status(), 200);
    guest.expect_silence().await;
    elsewhere.expect_silence().await;
    settle().await;
    assert!(other.gaps.try_recv().is_err(), "once");
    assert!(one.gaps.try_recv().is_err(), "the other machine has lost nothing");
}

#[tokio::test(start_paused = true)]
async fn hook_that_fails_runs_again_for_the_next_gap() {
    let cluster = Cluster::new(2, 2);
    let (_one, mut other) = (machine(&cluster, 0), machine(&cluster, 1));
    let mut member = enter(&other, 2, &[], 5).await;
    settle().await;
    for mode in [PANIC, HANG, PUBLISH] {
        other.mode.store(mode, Ordering::SeqCst);
        cluster.partition(1);
        sleep(Duration::from_secs(5)).await;
        cluster.heal(1);
        assert_eq!(next(&mut other).await, gap_report(&[5], &["2"]));
    }
    assert_eq!(name(&mut member).await, "outdated");
}

#[tokio::test(start_paused = true)]
async fn gaps_while_the_hook_runs_are_reported_together_after_it() {
    let cluster = Cluster::new(2, 3);
    let (_one, mut other) = (machine(&cluster, 0), machine(&cluster, 1));
    let _member = enter(&other, 2, &[], 5).await;
    settle().await;
    other.mode.store(HANG, Ordering::SeqCst);
    let lose = async || {
        cluster.partition(1);
        sleep(Duration::from_millis(2_100)).await;
        cluster.heal(1);
        sleep(Duration::from_millis(1_100)).await;
    };
    lose().await;
    assert_eq!(next(&mut other).await, gap_report(&[5], &["2"]));
    let first_at = Instant::now();
    lose().await;
    lose().await;
    assert_eq!(next(&mut other).await, gap_report(&[5], &["2"]));
    // The time limit of the hook and the pause after it, without the second in which it had run already.
    assert!(first_at.elapsed() >= Duration::from_secs(10), "{:?}", first_at.elapsed());
    other.mode.store(PUBLISH, Ordering::SeqCst);
    let gaps = other.endpoint.snapshot().cluster.unwrap().gaps;
    assert!(gaps >= 3, "{gaps} gaps");
    assert!(timeout(PATIENCE, other.gaps.recv()).await.is_err(), "both are reported");
}

#[tokio::test(start_paused = true)]
async fn pause_doubles_while_there_are_gaps() {
    let cluster = Cluster::new(2, 4);
    let (_one, mut other) = (machine(&cluster, 0), machine(&cluster, 1));
    let _member = enter(&other, 2, &[], 5).await;
    settle().await;
    let mut reported_at = Vec::new();
    for _ in 0..90 {
        cluster.partition(1);
        sleep(Duration::from_millis(2_100)).await;
        cluster.heal(1);
        sleep(Duration::from_millis(1_100)).await;
        while other.gaps.try_recv().is_ok() {
            reported_at.push(Instant::now());
        }
    }
    let pauses: Vec<u64> = reported_at.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    // The last ones are a minute apart, to the end of the loss that was seen then.
    assert!(pauses.iter().rev().take(2).all(|pause| (56..=68).contains(pause)), "{pauses:?}");
    assert!(reported_at.len() < 12, "{pauses:?}");
}
