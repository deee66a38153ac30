//! Revalidation on several threads: every kind of refresh, changes of grants and of group permissions, joins, disconnections,
//! publications and actions at the same time. One counter orders what happens: it is read before each publication, when an
//! action is marked as started (the trace `action started`), after a revocation has returned, and before rights are given
//! back.

#[path = "../common/mod.rs"]
mod common;

mod observer;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Connections, Context, Endpoint, Event, GrantKey, GrantSet, GrantSource, Group, GroupPermission, Limits,
    ObjectKey, OverflowPolicy, Overwrites, Result, Scope, UserGrants, consumer, handler,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::common::codenames::uploads;
use crate::common::rng::Rng;
use crate::common::{Member, member};
use crate::observer::{now, observe, starts_of};

/// Users whose rights never change.
const STEADY: usize = 6;
/// Users whose grants change.
const GRANTED: usize = 6;
/// Users whose membership changes.
const ADMITTED: usize = 6;
const USERS: usize = STEADY + GRANTED + ADMITTED;
/// The user that is disconnected again and again.
const CHURNING: u32 = 900;
const PUBLISHERS: usize = 2;
/// The number of events that are published while a user has lost a right.
const BURST: u64 = 3;

const DURATION: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_mins(1);

/// The event that ends the test.
const LAST: [u64; 3] = [u64::MAX, 0, 0];

#[derive(Default)]
struct State {
    may_read: [AtomicBool; USERS],
    may_enter: [AtomicBool; USERS],
    loads: AtomicUsize,
}

impl State {
    /// Reads a right, and returns it later: it may be outdated by then.
    async fn read(&self, rights: &[AtomicBool; USERS], user: u32) -> bool {
        let right = usize::try_from(user).ok().and_then(|user| rights.get(user));
        let is_held = right.is_none_or(|right| right.load(Ordering::SeqCst));
        let turn = self.loads.fetch_add(1, Ordering::SeqCst);
        match turn % 7 {
            0..3 => sleep(Duration::from_micros(300)).await,
            3..5 => tokio::task::yield_now().await,
            _ => {}
        }
        is_held
    }
}

struct Table(Arc<State>);

impl GrantSource<Member> for Table {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let may_read = self.0.read(&self.0.may_read, user.id).await;
        Ok(if may_read { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        tokio::task::yield_now().await;
        Ok(objects.iter().map(|_| Overwrites::new()).collect())
    }
}

#[derive(Serialize, Deserialize)]
struct Shelf;

impl GrantKey for Shelf {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("shelf", 1)
    }
}

struct MayEnter;

impl GroupPermission<Hall, Depot> for MayEnter {
    async fn may_join(&self, depot: &Depot, scope: &Scope<Member>, _: &Hall) -> Result<bool> {
        let user = scope.user().map_or(CHURNING, |member| member.id);
        Ok(depot.state.read(&depot.state.may_enter, user).await)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = MayEnter, publish = AllowAny, events(Said))]
struct Hall;

#[derive(Event)]
struct Said {
    shelf: Shelf,
    data: [u64; 3],
}

struct Depot {
    state: Arc<State>,
    desk: Desk,
}

#[consumer(user = Member)]
impl Depot {
    #[event(permission = "uploads.read(shelf)")]
    fn said(event: &Said) -> &[u64; 3] {
        &event.data
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Hall).await
    }

    #[action(permission = AllowAny)]
    async fn follow(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.subscribe(Hall).await
    }

    #[route("desks/{user}/", permission = uploads.read)]
    fn desk(&self) -> &Desk {
        &self.desk
    }
}

struct Desk;

#[handler(user = Member, permission = inherited)]
impl Desk {
    #[action]
    async fn act(&self) {
        tokio::task::yield_now().await;
    }
}

/// An event, and when it was received.
type Received = ([u64; 3], u64);

/// What one client has observed.
#[derive(Default)]
struct Record {
    events: Vec<Received>,
    /// Between these two times the user had lost the right.
    windows: Vec<(u64, u64)>,
}

impl Record {
    /// Returns how many actions were started within a window.
    fn count_late_starts(&self, starts: &[u64]) -> usize {
        let is_late = |time: &&u64| self.windows.iter().any(|(lost, given)| lost < *time && *time < given);
        starts.iter().filter(is_late).count()
    }

    /// Returns how many events were both published and received within a window. One that was published within it may have
    /// waited until the right was given back.
    fn count_late_events(&self) -> usize {
        let is_late = |([_, _, published], received): &&Received| {
            self.windows.iter().any(|(lost, given)| lost < published && received < given)
        };
        self.events.iter().filter(is_late).count()
    }

    /// Returns how many events of a publisher are not newer than the one before.
    fn count_disordered(&self) -> usize {
        let mut latest = HashMap::new();
        let is_old = |([publisher, number, _], _): &&Received| {
            latest.insert(*publisher, *number).is_some_and(|previous| previous >= *number)
        };
        self.events.iter().filter(is_old).count()
    }
}

struct Fixture {
    state: Arc<State>,
    depot: Endpoint<Depot>,
    is_over: AtomicBool,
    published: AtomicUsize,
}

impl Fixture {
    fn new() -> Fixture {
        let state = Arc::<State>::default();
        for right in state.may_read.iter().chain(&state.may_enter) {
            right.store(true, Ordering::SeqCst);
        }
        let limits = Limits { max_queued_events: usize::MAX, max_queued_bytes: usize::MAX, ..Limits::default() };
        let depot = portcullis::websocket(Depot { state: state.clone(), desk: Desk })
            .grants(Table(state.clone()))
            .limits(limits)
            .overflow_policy(OverflowPolicy::Close);
        Fixture { state, depot, is_over: AtomicBool::new(false), published: AtomicUsize::new(0) }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn publish(&self, publisher: usize, number: u64) {
        self.published.fetch_add(1, Ordering::SeqCst);
        let data = [publisher as u64, number, now()];
        self.depot.publisher().publish(&Hall, Said { shelf: Shelf, data });
    }

    async fn open(&self, user: u32) -> Client {
        connect(&self.depot).user(member(user, &[])).open().await.unwrap()
    }
}

/// Publishes until the test is over.
async fn run_publisher(fixture: Arc<Fixture>, publisher: usize) {
    let mut number = 0;
    while !fixture.is_over() {
        fixture.publish(publisher, number);
        number += 1;
        sleep(Duration::from_micros(300)).await;
    }
}

/// Reports changes of every kind.
async fn run_refresher(fixture: Arc<Fixture>, seed: u64) {
    let (connections, mut rng) = (fixture.depot.connections(), Rng(seed));
    while !fixture.is_over() {
        let refresh = match rng.below(5) {
            0 => connections.refresh_all(),
            1 => connections.refresh_role("any"),
            2 => connections.refresh_object(&Shelf.grant_key()),
            _ => connections.refresh_user(&rng.below(USERS).to_string()),
        };
        let outcome = if rng.below(2) == 0 { refresh.await } else { refresh.revalidated().await };
        assert!(outcome.is_acknowledged());
        sleep(Duration::from_micros(rng.below(1500_u64))).await;
    }
}

/// Receives until the last event, calls actions, and joins when `joins` names an action.
async fn run_client(
    mut client: Client,
    user: usize,
    mut joins: mpsc::UnboundedReceiver<&'static str>,
) -> Vec<Received> {
    let mut events = Vec::new();
    let act = format!(r#"{{"action":"act","route":"desks/{user}/"}}"#);
    loop {
        tokio::select! {
            Some(action) = joins.recv() => client.send(format!(r#"{{"action":"{action}","request_id":"join"}}"#)),
            message = client.reply() => {
                if message.event_name() != Some("said") {
                    continue;
                }
                let data = message.data_as::<[u64; 3]>();
                if data == LAST {
                    return events;
                }
                events.push((data, now()));
            }
            () = sleep(Duration::from_micros(700)) => client.send(act.as_str()),
        }
    }
}

/// Takes a right of a user and gives it back, again and again. Returns the times between which the user had none.
async fn run_changes(
    fixture: Arc<Fixture>,
    user: usize,
    joins: mpsc::UnboundedSender<&'static str>,
) -> Vec<(u64, u64)> {
    let (connections, mut rng, mut windows) = (fixture.depot.connections(), Rng(77 + user as u64), Vec::new());
    let is_admitted = user >= STEADY + GRANTED;
    let right = if is_admitted { &fixture.state.may_enter[user] } else { &fixture.state.may_read[user] };
    let (join, mut number) = (if user.is_multiple_of(2) { "enter" } else { "follow" }, 0);
    while user >= STEADY && !fixture.is_over() {
        sleep(Duration::from_micros(rng.below(3000_u64))).await;
        right.store(false, Ordering::SeqCst);
        report(&connections, user, &mut rng).await;
        let lost = now();
        for _ in 0..BURST {
            fixture.publish(PUBLISHERS + user, number);
            number += 1;
            sleep(Duration::from_micros(rng.below(600_u64))).await;
        }
        windows.push((lost, now()));
        right.store(true, Ordering::SeqCst);
        report(&connections, user, &mut rng).await;
        if is_admitted {
            joins.send(join).unwrap();
        }
    }
    windows
}

async fn report(connections: &Connections<Depot>, user: usize, rng: &mut Rng) {
    let refresh = match rng.below(3) {
        0 => connections.refresh_all(),
        _ => connections.refresh_user(&user.to_string()),
    };
    assert!(refresh.await.is_acknowledged());
}

/// Opens connections of one user, which is disconnected while it joins or receives. Returns how many there were, and how many
/// events were received that were published after the call had returned.
async fn run_churn(fixture: Arc<Fixture>) -> (usize, usize) {
    let (mut opened, mut late, mut rng) = (0, 0, Rng(5));
    while !fixture.is_over() {
        let mut client = fixture.open(CHURNING).await;
        opened += 1;
        client.send(r#"{"action":"enter"}"#);
        client.send(r#"{"action":"follow","request_id":1}"#);
        sleep(Duration::from_micros(rng.below(2000_u64))).await;
        assert!(fixture.depot.connections().disconnect_user(&CHURNING.to_string()).await.is_acknowledged());
        let returned = now();
        let (messages, code) = timeout(PATIENCE, client.close()).await.expect("a connection does not end");
        // The client may have closed first.
        assert!(matches!(code, 4403 | 1000), "{code}");
        let events = messages.iter().filter(|message| message.event_name() == Some("said"));
        late += events.filter(|event| event.data_as::<[u64; 3]>()[2] > returned).count();
    }
    (opened, late)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_revalidations_leak_and_lose_nothing() {
    observe();
    let fixture = Arc::new(Fixture::new());
    let (mut clients, mut changes) = (Vec::new(), Vec::new());
    for user in 0..USERS {
        let mut client = fixture.open(u32::try_from(user).unwrap()).await;
        let join = if user.is_multiple_of(2) { "enter" } else { "follow" };
        assert_eq!(client.call(join).request_id("join").await.status(), 200);
        let (joins, asked) = mpsc::unbounded_channel();
        clients.push(tokio::spawn(run_client(client, user, asked)));
        changes.push((joins.clone(), tokio::spawn(run_changes(fixture.clone(), user, joins))));
    }
    let publishers = (0..PUBLISHERS).map(|publisher| tokio::spawn(run_publisher(fixture.clone(), publisher)));
    let publishers: Vec<_> = publishers.collect();
    let refreshers: Vec<_> = (0..2).map(|seed| tokio::spawn(run_refresher(fixture.clone(), 1 + seed))).collect();
    let churn = tokio::spawn(run_churn(fixture.clone()));
    let started_at = Instant::now();
    sleep(DURATION).await;
    fixture.is_over.store(true, Ordering::SeqCst);
    join_all(publishers).await.into_iter().chain(join_all(refreshers).await).for_each(Result::unwrap);
    let (opened, disconnected_late) = churn.await.unwrap();
    // Every user has all rights again, and is a member.
    let mut windows = Vec::new();
    for (user, (joins, changing)) in changes.into_iter().enumerate() {
        windows.push(changing.await.unwrap());
        if user >= STEADY + GRANTED {
            joins.send(if user.is_multiple_of(2) { "enter" } else { "follow" }).unwrap();
        }
    }
    let revalidated = fixture.depot.connections().refresh_all().revalidated();
    assert!(timeout(PATIENCE, revalidated).await.expect("a revalidation does not end").is_acknowledged());
    let ending = {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            loop {
                fixture.depot.publisher().publish(&Hall, Said { shelf: Shelf, data: LAST });
                sleep(Duration::from_millis(100)).await;
            }
        })
    };
    let received = timeout(PATIENCE, join_all(clients)).await.expect("a client does not receive the last event");
    ending.abort();
    let (mut late_events, mut late_starts, mut disordered, mut lost, mut starts) = (0, 0, 0, 0, 0);
    let published = fixture.published.load(Ordering::SeqCst);
    for (user, (events, windows)) in received.into_iter().zip(windows).enumerate() {
        let record = Record { events: events.unwrap(), windows };
        late_events += record.count_late_events();
        disordered += record.count_disordered();
        let times = starts_of(user);
        starts += times.len();
        // A membership is no condition of an action.
        late_starts += if user < STEADY + GRANTED { record.count_late_starts(&times) } else { 0 };
        lost += if user < STEADY { published.abs_diff(record.events.len()) } else { 0 };
    }
    println!(
        "{published} events, {starts} starts, {opened} connections churned in {:?}: {late_events} late events, {late_starts} \
         late starts, {disconnected_late} after a disconnection, {disordered} out of order, {lost} lost or repeated",
        started_at.elapsed()
    );
    assert_eq!((late_events, late_starts, disconnected_late, disordered, lost), (0, 0, 0, 0, 0));
    assert!(published > 200 && starts > 500 && opened > 20, "hardly a race");
}
