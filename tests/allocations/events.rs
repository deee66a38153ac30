//! Allocations of an event: none per member, delivered or not.

use std::borrow::Cow;

use allocation_counter::measure;
use futures_util::FutureExt;
use portcullis::testing::{Client, connect};
use portcullis::{
    ConnectContext, Context, Event, EventPermission, Group, Limits, Publisher, Result, Scope, User, consumer,
};

use super::runtime;

struct Member(u32);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Site, permission = portcullis::AllowAny, publish = members, events(News), local)]
struct Everybody;

/// A group to which everyone may publish.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Site, permission = portcullis::AllowAny, publish = portcullis::AllowAny, events(News), local)]
struct Wall;

/// Local, because the in-process client has events encoded that are not.
#[derive(Event)]
#[event(local)]
struct News {
    /// The minimal level of a receiver.
    level: u32,
}

struct Level;

impl EventPermission<News, Site> for Level {
    fn may_see(&self, _: &Site, scope: &Scope<Member>, news: &News) -> bool {
        scope.user().is_some_and(|member| member.0 % 10 >= news.level)
    }
}

/// A group that announces its users.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Site, permission = portcullis::AllowAny, publish = members, events(News), local,
    presence = portcullis::AllowAny, announce
)]
struct Lounge;

struct Site;

#[consumer(user = Member)]
impl Site {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Everybody).await
    }

    #[event(permission = Level)]
    fn news(&self, _: &News) -> &'static str {
        "news"
    }

    #[action(permission = portcullis::AllowAny)]
    async fn ping(&self) {}

    #[action(permission = portcullis::AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Lounge).await
    }

    /// Returns the allocations of a list of present users.
    #[action(permission = portcullis::AllowAny)]
    async fn list(&self, cx: &Context<'_, Member>) -> u64 {
        measure(|| drop(cx.present_users(&Lounge).now_or_never().unwrap().unwrap())).count_total
    }

    /// Returns the allocations of two permits to publish: one for a member, and one that everyone gets.
    #[action(permission = portcullis::AllowAny)]
    async fn take_permits(&self, cx: &Context<'_, Member>) -> [u64; 2] {
        [
            measure(|| drop(cx.publish_permit(Everybody).now_or_never().unwrap().unwrap())).count_total,
            measure(|| drop(cx.publish_permit(Wall).now_or_never().unwrap().unwrap())).count_total,
        ]
    }
}

#[test]
fn permit_to_publish_allocates_nothing() {
    runtime().block_on(async {
        let site = portcullis::websocket(Site);
        let mut client = connect(&site).user(Member(1)).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        assert_eq!(client.call("take_permits").await.data(), &serde_json::json!([0, 0]));
    });
}

/// The list has one allocation per user, its id, and some more for the whole.
#[test]
fn list_of_members_allocates_once_per_user() {
    let [few, many] = [20, 1000].map(|members| {
        runtime().block_on(async {
            let site = portcullis::websocket(Site).limits(Limits { max_queued_events: 10_000, ..Limits::default() });
            let mut clients = Vec::new();
            for id in 0..members {
                let mut client = connect(&site).user(Member(id)).open().await.unwrap();
                assert_eq!(client.call("enter").await.status(), 200);
                clients.push(client);
            }
            clients[0].call("list").await.data().as_u64().unwrap()
        })
    });
    println!("a list of 20 members: {few} allocations, of 1000 members: {many}");
    assert!(many - few <= 980 + 10, "{few}, {many}");
}

#[test]
fn event_allocates_no_more_for_many_members_than_for_few() {
    for (level, seen_by) in [(0, "all"), (9, "a tenth"), (10, "nobody")] {
        let [few, many] = [20, 1000].map(|members| runtime().block_on(allocations(members, level)));
        println!("an event to {seen_by} of 20 members: {few} allocations, of 1000 members: {many}");
        assert_eq!(few, many, "seen by {seen_by}");
        assert!(many <= 6, "{many}, seen by {seen_by}");
    }
}

/// Returns the allocations of the publisher, after every send queue has had an event.
async fn allocations(members: u32, level: u32) -> u64 {
    let site = portcullis::websocket(Site);
    let mut clients = Vec::new();
    for id in 0..members {
        let mut client = connect(&site).user(Member(id)).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        clients.push(client);
    }
    let publisher: Publisher<Site> = site.publisher();
    publisher.publish(&Everybody, News { level: 0 });
    receive(&mut clients, 0).await;
    let counted = measure(|| publisher.publish(&Everybody, News { level })).count_total;
    receive(&mut clients, level).await;
    counted
}

async fn receive(clients: &mut [Client], level: u32) {
    for (id, client) in (0_u32..).zip(clients) {
        if id % 10 >= level {
            assert_eq!(client.reply().await.text(), r#"{"event":"news","data":"news"}"#);
        }
    }
}
