//! Revalidation under load and faults: how much runs at once, who waits for whom, and what a fault costs.

mod age;
mod faults;
mod isolation;
mod limits;
mod loads;
mod overtaken;
mod progress;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Endpoint, Error, Event, GrantCache, GrantKey, GrantSet, GrantSource, Group,
    GroupPermission, ObjectKey, Overwrites, Permission, PermissionContext, Result, Scope, UserGrants, consumer,
};
use tokio::time::sleep;

use crate::common::codenames::uploads;
use crate::common::{Member, member};

/// What a callback of the application does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Outcome {
    #[default]
    Allow,
    Refuse,
    Fail,
    Panic,
    Hang,
}

impl Outcome {
    const FAULTS: [Outcome; 3] = [Outcome::Fail, Outcome::Panic, Outcome::Hang];

    async fn run(self) -> Result<bool> {
        match self {
            Outcome::Allow => Ok(true),
            Outcome::Refuse => Ok(false),
            Outcome::Fail => Err(Error::internal("the database is gone")),
            Outcome::Panic => panic!("a callback panicked"),
            Outcome::Hang => std::future::pending().await,
        }
    }
}

/// A callback whose calls are counted and controlled by a test.
#[derive(Default)]
struct Callback {
    /// How long each call takes.
    delay: Mutex<Duration>,
    /// What the calls about each number do: a user for the grant source, a room for the group.
    outcomes: Mutex<HashMap<u32, Outcome>>,
    running: AtomicUsize,
    /// The greatest number of calls that ran at once.
    most_running: AtomicUsize,
    calls: AtomicUsize,
}

/// Counts one call of a callback while it runs.
struct Running<'a>(&'a Callback);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Callback {
    fn set(&self, number: u32, outcome: Outcome) {
        self.outcomes.lock().unwrap().insert(number, outcome);
    }

    fn set_delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// Returns the number of calls and the greatest number of them at once since the last time.
    fn take_counts(&self) -> (usize, usize) {
        (self.calls.swap(0, Ordering::SeqCst), self.most_running.swap(0, Ordering::SeqCst))
    }

    async fn call(&self, number: u32) -> Result<bool> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        let _running = Running(self);
        // Read first: the outcome may be outdated when it is returned.
        let outcome = self.outcomes.lock().unwrap().get(&number).copied().unwrap_or_default();
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            sleep(delay).await;
        }
        outcome.run().await
    }
}

#[derive(Default)]
struct State {
    loads: Callback,
    /// Loads of overwrites; all of them are about the number 0.
    overwrites: Callback,
    joins: Callback,
    connects: Callback,
    /// Whether each load of a user's grants returns another role.
    has_changing_roles: AtomicBool,
    /// Whether connections of one user share loads.
    is_coalescing: AtomicBool,
    /// The users whose `coalesce_key` panics.
    panicking_keys: Mutex<HashSet<u32>>,
    /// The channels whose overwrites deny everything to everyone.
    denied_channels: Mutex<HashSet<u64>>,
    /// Lets `wait` return.
    resume: tokio::sync::Notify,
}

impl State {
    fn deny_channel(&self, channel: u64) {
        self.denied_channels.lock().unwrap().insert(channel);
    }

    fn take_all_counts(&self) {
        for callback in [&self.loads, &self.joins, &self.connects] {
            callback.take_counts();
        }
    }
}

/// Grants `uploads.read` to users whose load is allowed.
struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    fn coalesce_key<'a>(&'a self, user: &'a Member) -> Option<Cow<'a, str>> {
        assert!(!self.0.panicking_keys.lock().unwrap().contains(&user.id), "a key panicked");
        self.0.is_coalescing.load(Ordering::SeqCst).then(|| user.id.to_string().into())
    }

    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let is_granted = self.0.loads.call(user.id).await?;
        let grants = if is_granted { GrantSet::from(uploads::read) } else { GrantSet::new() };
        let has_role = self.0.has_changing_roles.load(Ordering::SeqCst);
        let role = has_role.then(|| self.0.loads.calls.load(Ordering::SeqCst).to_string());
        Ok(UserGrants { grants, roles: role.into_iter().collect() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.0.overwrites.call(0).await?;
        let denied = self.0.denied_channels.lock().unwrap();
        let is_denied = |key: &ObjectKey| denied.iter().any(|channel| *key == ObjectKey::new("channel", *channel));
        let of = |key| if is_denied(key) { Overwrites::new().deny_everyone(uploads::read) } else { Overwrites::new() };
        Ok(objects.iter().map(of).collect())
    }
}

#[derive(serde::Deserialize)]
struct ChannelId(u64);

impl GrantKey for ChannelId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

struct Archive(Arc<State>);

struct MayEnter;

impl GroupPermission<Room, Archive> for MayEnter {
    async fn may_join(&self, archive: &Archive, _: &Scope<Member>, room: &Room) -> Result<bool> {
        archive.0.joins.call(room.0).await
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Archive,
    permission = MayEnter,
    publish = members,
    events(Said, Kept),
    public_name = "rooms/{0}",
    local
)]
struct Room(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Archive, permission = AllowAny, publish = members, events(Uploaded, Said))]
struct Lobby;

#[derive(Event)]
struct Said(u32);
#[derive(Event)]
struct Uploaded(u32);

/// An event that calls a function when it is dropped.
#[derive(Event)]
#[event(local)]
struct Kept(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

struct MayConnect;

impl Permission<Archive> for MayConnect {
    async fn has_permission(&self, _: &Archive, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, archive: &Archive, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        let user = cx.user().map_or(0, |member| member.id);
        archive.0.connects.call(user).await.map(Some)
    }
}

#[consumer(user = Member, permission = MayConnect)]
impl Archive {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn kept(&self, _: &Kept) -> u32 {
        0
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[action(permission = uploads.read)]
    async fn read(&self) {}

    #[action(permission = uploads.read(channel))]
    async fn read_on(&self, channel: ChannelId) {
        let _ = channel;
    }

    #[action]
    async fn ping(&self) {}

    #[action(detached)]
    async fn wait(&self) {
        self.0.resume.notified().await;
    }

    #[action(permission = uploads.read(channel), detached)]
    async fn wait_on(&self, channel: ChannelId) {
        let _ = channel;
        self.0.resume.notified().await;
    }

    #[action]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action]
    async fn follow(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.subscribe(Room(room)).await
    }
}

struct Fixture {
    state: Arc<State>,
    endpoint: Endpoint<Archive>,
}

fn fixture() -> Fixture {
    let state = Arc::<State>::default();
    let cache = GrantCache::new(FakeGrants(state.clone()));
    Fixture { endpoint: portcullis::websocket(Archive(state.clone())).grants(cache), state }
}

impl Fixture {
    async fn open(&self, user: u32) -> Client {
        let mut client = connect(&self.endpoint).user(member(user, &[])).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }

    async fn open_all(&self, users: impl IntoIterator<Item = u32>) -> Vec<Client> {
        let mut clients = Vec::new();
        for user in users {
            clients.push(self.open(user).await);
        }
        clients
    }
}
