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
use tokio::time::{sleep, timeout};

use crate::common::{Member, member};

/// What a hook was told: the rooms and the users, sorted.
type Reported = (Vec<u32>, Vec<String>);

/// What the hook does after it has reported its gap.
const PUBLISH: u8 = 0;
const PANIC: u8 = 1;
const HANG: u8 = 2;

struct Board {
    gaps: UnboundedSender<Reported>,
    mode: Arc<AtomicU8>,
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

#[consumer(user = Member)]
impl Board {
    #[gap]
    async fn on_gap(&self, cx: &Gap<'_, Self>) {
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
            cx.publish_here(&Room(room), Outdated);
        }
        for user in users {
            cx.publish_to_user_here(&user, Outdated);
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
    gaps: UnboundedReceiver<Reported>,
    mode: Arc<AtomicU8>,
}

fn machine(cluster: &Cluster, index: usize) -> Machine {
    let (sender, gaps) = unbounded_channel();
    let mode = Arc::new(AtomicU8::new(PUBLISH));
    let limits = Limits { action_timeout: Duration::from_secs(3), ..Limits::default() };
    let endpoint = websocket(Board { gaps: sender, mode: mode.clone() }).limits(limits).broker(cluster.broker(index));
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

fn reported(rooms: &[u32], users: &[&str]) -> Reported {
    (rooms.to_vec(), users.iter().map(|user| (*user).to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn machine_that_was_cut_off_runs_the_hook_once_for_its_groups_and_users() {
    let cluster = Cluster::new(2, 1);
    let (mut one, mut other) = (machine(&cluster, 0), machine(&cluster, 1));
    let _elsewhere = enter(&one, 1, &[], 5).await;
    let mut member = enter(&other, 2, &[], 5).await;
    let mut guest = enter(&other, 3, &["guest"], 6).await;
    settle().await;
    assert!(one.gaps.try_recv().is_err() && other.gaps.try_recv().is_err(), "nothing is lost yet");
    cluster.partition(1);
    sleep(Duration::from_secs(20)).await;
    assert!(other.gaps.try_recv().is_err(), "not before the broker is back");
    cluster.heal(1);
    assert_eq!(other.gaps.recv().await.unwrap(), reported(&[5, 6], &["2", "3"]));
    // By the group and by the user. The permission of the event holds here too.
    assert_eq!([name(&mut member).await, name(&mut member).await], ["outdated"; 2]);
    assert_eq!(guest.call("ping").await.status(), 200);
    guest.expect_silence().await;
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
        assert_eq!(other.gaps.recv().await.unwrap(), reported(&[5], &["2"]));
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
    for _ in 0..2 {
        cluster.partition(1);
        sleep(Duration::from_millis(2_100)).await;
        cluster.heal(1);
        sleep(Duration::from_millis(1_100)).await;
    }
    other.mode.store(PUBLISH, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(other.gaps.recv().await.unwrap(), reported(&[5], &["2"]));
    }
    assert!(timeout(Duration::from_secs(30), other.gaps.recv()).await.is_err());
}
