//! Subscriptions and delivery paths: request ids, public names, publications to a user or several groups, memberships
//! from outside the connection, and event counters.

mod addressing;
mod counters;
mod drops;
mod ends;
mod parallel;
mod public_names;
mod publisher_membership;
mod random;
mod request_ids;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, Reply, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, EventPermission, GrantSet, GrantSource, Group, GroupPermission, Limits,
    OverflowPolicy, Publisher, RequestId, Result, Scope, UserGrants, consumer,
};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::common::codenames::uploads;
use crate::common::limits::without_timeouts;
use crate::common::{Member, member};

/// Blocks callers while it is closed.
struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Gate {
        Gate(watch::Sender::new(true))
    }
}

impl Gate {
    fn close(&self) {
        self.0.send_replace(false);
    }

    fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// The current rights of all users.
#[derive(Default)]
struct State {
    /// Users without access to any room.
    outsiders: Mutex<HashSet<u32>>,
    /// The number of evaluations of the group permission per user.
    evaluations: Mutex<HashMap<u32, usize>>,
    /// Delays the verdict of the group permission, after it was computed.
    group_gate: Gate,
    /// Delays the grants.
    grants_gate: Gate,
}

/// Grants `uploads.read` to all users except 3; the grants of user 6 fail to load.
struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.grants_gate.pass().await;
        match user.id {
            3 => Ok(UserGrants::default()),
            6 => Err(Error::internal("the source's secret")),
            _ => Ok(GrantSet::from(uploads::read).into()),
        }
    }
}

struct MayEnter;

impl<G: Sync> GroupPermission<G, Feed> for MayEnter {
    async fn may_join(&self, feed: &Feed, scope: &Scope<Member>, _: &G) -> Result<bool> {
        let Some(member) = scope.user() else { return Ok(false) };
        *feed.0.evaluations.lock().unwrap().entry(member.id).or_default() += 1;
        let inside = !feed.0.outsiders.lock().unwrap().contains(&member.id);
        feed.0.group_gate.pass().await;
        Ok(inside)
    }
}

/// A group with a public name.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Feed,
    permission = MayEnter,
    publish = AllowAny,
    events(Said, Whispered, Uploaded, Unserializable, PublishesOnDrop),
    local,
    public_name = "rooms/{id}"
)]
struct Room {
    id: u32,
}

/// A group without a public name.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Feed, permission = AllowAny, publish = members, events(Said, Whispered))]
struct Quiet(u32);

/// A group whose public name contains text of the application.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Feed, permission = AllowAny, publish = members, events(Said), public_name = "topics/{0}")]
struct Topic(String);

#[derive(Event)]
struct Said(String);

/// An event with a payload per member, and none for the role `deaf`.
#[derive(Event)]
struct Whispered;

#[derive(Event)]
struct Uploaded(u32);

/// An event that publishes to its group when it is dropped.
#[derive(Event)]
#[event(local)]
struct PublishesOnDrop(Publisher<Feed>);

impl Drop for PublishesOnDrop {
    fn drop(&mut self) {
        self.0.publish(&Room { id: 2 }, Said("gone".to_owned()));
    }
}

/// An event that cannot be serialized.
#[derive(Event)]
struct Unserializable;

/// Panics for the text `panic`, and denies the role `hush`.
struct CanHear;

impl EventPermission<Said, Feed> for CanHear {
    fn may_see(&self, _: &Feed, scope: &Scope<Member>, said: &Said) -> bool {
        assert_ne!(said.0, "panic", "a permission's secret");
        scope.user().is_some_and(|member| !member.roles.contains(&"hush"))
    }
}

/// A step of the action `act`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Join(u32),
    Leave(u32),
    Subscribe(u32),
    Unsubscribe(u32, RequestId),
    SubscribeQuietly(u32),
    SubscribeTopic(String),
    Say(u32, String),
    SayToOthers(u32, String),
    SayToSeveral(Vec<u32>, String),
    SayToUser(String, String),
    SayAtOnce(u32, String),
    Fail,
}

struct Feed(Arc<State>);

#[consumer(user = Member)]
impl Feed {
    #[event(permission = CanHear)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[event(permission = AllowAny)]
    fn whispered(&self, _: &Whispered, scope: &Scope<Member>) -> Option<u32> {
        scope.user().filter(|member| !member.roles.contains(&"deaf")).map(|member| member.id)
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[event(permission = uploads.read)]
    fn parting(&self, _: &PublishesOnDrop) -> &'static str {
        "so long"
    }

    #[event(permission = AllowAny)]
    fn odd(&self, _: &Unserializable) -> HashMap<Vec<u8>, u32> {
        // A map with keys that are no strings cannot be serialized as JSON.
        HashMap::from([(vec![1], 2)])
    }

    #[action(permission = AllowAny)]
    async fn act(&self, cx: &Context<'_, Member>, steps: Vec<Step>) -> Result<()> {
        for step in steps {
            match step {
                Step::Join(id) => cx.join(Room { id }).await?,
                Step::Leave(id) => cx.leave(Room { id })?,
                Step::Subscribe(id) => cx.subscribe(Room { id }).await?,
                Step::Unsubscribe(id, subscription) => cx.unsubscribe(Room { id }, subscription)?,
                Step::SubscribeQuietly(id) => cx.subscribe(Quiet(id)).await?,
                Step::SubscribeTopic(name) => cx.subscribe(Topic(name)).await?,
                Step::Say(id, text) => cx.publish(Room { id }, Said(text)).await?,
                Step::SayToOthers(id, text) => cx.publish_to_others(Room { id }, Said(text)).await?,
                Step::SayToSeveral(ids, text) => {
                    cx.publish_to_several(ids.into_iter().map(|id| Room { id }), Said(text)).await?;
                }
                Step::SayToUser(user, text) => cx.publish_to_user::<Feed, _>(user, Said(text))?,
                Step::SayAtOnce(id, text) => cx.unchecked_publisher::<Feed>()?.publish(&Room { id }, Said(text)),
                Step::Fail => return Err(Error::conflict("It does not fit.")),
            }
        }
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn unsubscribe(&self, cx: &Context<'_, Member>, room: u32, subscription: RequestId) -> Result<()> {
        cx.unsubscribe(Room { id: room }, subscription)
    }

    /// Returns the request id of the message.
    #[action(permission = AllowAny)]
    async fn own_id(&self, cx: &Context<'_, Member>) -> Option<RequestId> {
        cx.request_id()
    }

    #[action(permission = AllowAny, detached)]
    async fn subscribe_detached(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.subscribe(Room { id: room }).await
    }
}

struct Fixture {
    state: Arc<State>,
    feed: Endpoint<Feed>,
    publisher: Publisher<Feed>,
}

/// A fixture with these limits.
fn fixture_with(limits: Limits, policy: OverflowPolicy) -> Fixture {
    let state = Arc::<State>::default();
    let feed = portcullis::websocket(Feed(state.clone())).limits(limits).overflow_policy(policy);
    let feed = feed.grants(FakeGrants(state.clone()));
    let publisher = feed.publisher();
    Fixture { state, feed, publisher }
}

/// A fixture with this group limit.
fn fixture_with_max_groups(groups: usize) -> Fixture {
    fixture_with(Limits { max_groups: groups, ..without_timeouts() }, OverflowPolicy::Close)
}

fn fixture() -> Fixture {
    fixture_with(without_timeouts(), OverflowPolicy::Close)
}

impl Fixture {
    async fn open(&self, id: u32, roles: &[&'static str]) -> Client {
        let mut client = connect(&self.feed).user(member(id, roles)).open().await.unwrap();
        settle(&mut client).await;
        client
    }

    /// Publishes to a room with the publisher.
    fn say(&self, id: u32, text: &str) {
        self.publisher.publish(&Room { id }, Said(text.to_owned()));
    }
}

/// Calls `act` with this JSON as `request_id`, if any, and returns the next frame.
async fn act(client: &mut Client, id: &str, steps: &str) -> Reply {
    let id = if id.is_empty() { String::new() } else { format!(r#","request_id":{id}"#) };
    client.send(format!(r#"{{"action":"act","steps":[{steps}]{id}}}"#));
    client.reply().await
}

/// Calls `act` successfully and waits until its side effects have happened.
async fn act_ok(client: &mut Client, id: &str, steps: &str) {
    let reply = act(client, id, steps).await;
    assert_eq!(reply.status(), 200, "{steps}: {}", reply.text());
    settle(client).await;
}

/// Ends a subscription to a room.
async fn unsubscribe(client: &mut Client, room: u32, id: &str) {
    client.send(format!(r#"{{"action":"unsubscribe","room":{room},"subscription":{id}}}"#));
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200, "{id}: {}", reply.text());
    settle(client).await;
}

/// The side effects of a reply have happened when the next reply arrives.
async fn settle(client: &mut Client) {
    client.send(r#"{"action":"nothing"}"#);
    let reply = client.reply().await;
    assert_eq!(reply.status(), 405, "{}", reply.text());
}

/// Returns all frames before silence.
async fn frames(client: &mut Client) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(frame) = timeout(Duration::from_millis(50), client.reply()).await {
        all.push(frame.text().to_owned());
    }
    all
}

/// The frame of `said` in a room, for a subscriber with these request ids.
fn said(text: &str, room: u32, ids: &str) -> String {
    let ids = if ids.is_empty() { String::new() } else { format!(r#","request_ids":[{ids}]"#) };
    format!(r#"{{"event":"said","data":"{text}","group":"rooms/{room}"{ids}}}"#)
}
