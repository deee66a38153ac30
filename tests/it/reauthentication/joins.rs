//! Groups that `#[authenticate]` joins: authorized for the user that it returns, and joined if the credentials are accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, GrantSet, GrantSource, Group, GroupPermission, Limits, Result, Scope,
    UserGrants, consumer,
};
use serde_json::json;
use tokio::sync::Notify;

use super::{Member, member};
use crate::common::codenames::uploads;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Foyer, permission = Holds, publish = AllowAny, events(Said), local)]
struct Hall(&'static str);

#[derive(Event)]
struct Said(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Foyer, permission = uploads.read, publish = AllowAny, events(Said))]
struct Archive;

/// Grants `uploads.read` until it is revoked.
struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, _: &Member) -> Result<UserGrants> {
        let is_revoked = self.0.is_revoked.load(Ordering::SeqCst);
        Ok(if is_revoked { UserGrants::default() } else { GrantSet::from(uploads::read).into() })
    }
}

/// Holds if the user has the right that is the group's key.
struct Holds;

impl GroupPermission<Hall, Foyer> for Holds {
    async fn may_join(&self, foyer: &Foyer, scope: &Scope<Member>, hall: &Hall) -> Result<bool> {
        foyer.0.evaluations.fetch_add(1, Ordering::SeqCst);
        if hall.0 == "slow" {
            foyer.0.started.notify_one();
            foyer.0.resume.notified().await;
            return Ok(true);
        }
        Ok(scope.user().is_some_and(|member| member.may(hall.0)))
    }
}

#[derive(Default)]
struct State {
    evaluations: AtomicUsize,
    is_revoked: AtomicBool,
    started: Notify,
    resume: Notify,
}

struct Foyer(Arc<State>);

#[consumer(user = Member)]
impl Foyer {
    /// Joins the named halls before it verifies the token.
    #[authenticate]
    async fn enter(&self, cx: &Context<'_, Member>, token: String, halls: Vec<String>) -> Result<Option<Member>> {
        for hall in halls {
            match &*hall {
                "east" => cx.join(Hall("east")).await?,
                "west" => cx.join(Hall("west")).await?,
                "slow" => cx.join(Hall("slow")).await?,
                "archive" => cx.join(Archive).await?,
                "subscribe" => cx.subscribe(Hall("east")).await?,
                "leave" => cx.leave(Hall("east"))?,
                "publish" => cx.publish(Hall("east"), Said(9)).await?,
                _ => return Err(Error::conflict("There is no such hall.")),
            }
        }
        Ok((token != "nobody").then(|| member(&token)))
    }

    #[action(permission = AllowAny)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Option<String> {
        cx.user().map(|member| member.id.clone())
    }

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.0.resume.notified().await;
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &u32 {
        &event.0
    }
}

fn foyer(max_groups: usize) -> (Arc<State>, Endpoint<Foyer>) {
    let state = Arc::<State>::default();
    let limits = Limits { max_groups, max_authenticate_per_minute: 100, ..Limits::default() };
    (state.clone(), portcullis::websocket(Foyer(state.clone())).limits(limits).grants(FakeGrants(state)))
}

async fn enter(client: &mut Client, token: &str, halls: &[&str]) -> (u16, String) {
    let reply = client.call("authenticate").with("token", token).with("halls", halls).await;
    (reply.status(), reply.code().to_owned())
}

fn accepted() -> (u16, String) {
    (204, String::new())
}

fn denied() -> (u16, String) {
    (403, "permission_denied".to_owned())
}

/// Publishes to both halls and returns what the client receives.
async fn received(foyer: &Endpoint<Foyer>, client: &mut Client) -> Vec<u32> {
    assert_eq!(client.call("nothing").await.status(), 405, "what an earlier message has caused has happened");
    foyer.publisher().publish(&Hall("east"), Said(1));
    foyer.publisher().publish(&Hall("west"), Said(2));
    let mut all = Vec::new();
    while let Ok(data) = tokio::time::timeout(std::time::Duration::from_millis(50), client.event_as("said")).await {
        all.push(data);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn join_is_authorized_for_the_new_user() {
    let (_, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    assert_eq!(received(&foyer, &mut client).await, [0; 0]);
    assert_eq!(enter(&mut client, "7 east,west", &["east", "west"]).await, accepted());
    assert_eq!(received(&foyer, &mut client).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn refused_join_refuses_the_authentication() {
    let (_, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    assert_eq!(enter(&mut client, "7 east", &["east", "west"]).await, denied());
    assert_eq!(client.call("whoami").await.data(), &json!(null), "the connection is anonymous");
    assert_eq!(received(&foyer, &mut client).await, [0; 0], "in no hall");
    assert_eq!(enter(&mut client, "8 west", &["west"]).await, accepted(), "it may become any user");
    assert_eq!(client.call("whoami").await.data(), "8");
    assert_eq!(enter(&mut client, "8 west", &["east"]).await, denied());
    assert_eq!(received(&foyer, &mut client).await, [2], "nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn authentication_that_is_refused_joins_and_evaluates_nothing() {
    let (state, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    assert_eq!(enter(&mut client, "nobody", &["east"]).await, denied());
    assert_eq!(enter(&mut client, "7 east", &["east", "cellar"]).await, (409, "conflict".to_owned()));
    assert_eq!(enter(&mut client, "7 east 0", &["east"]).await, denied(), "expired");
    let mut member = connect(&foyer).user(member("7 east")).open().await.unwrap();
    assert_eq!(enter(&mut member, "8 east", &["east"]).await, denied(), "another user");
    assert_eq!(state.evaluations.load(Ordering::SeqCst), 0);
    for client in [&mut client, &mut member] {
        assert_eq!(received(&foyer, client).await, [0; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn group_slots_are_counted_once_and_bounded() {
    let (_, foyer) = foyer(1);
    let mut client = connect(&foyer).open().await.unwrap();
    let too_many = (409, "too_many_groups".to_owned());
    assert_eq!(enter(&mut client, "7 east,west", &["east", "west"]).await, too_many);
    assert_eq!(client.call("whoami").await.data(), &json!(null));
    for _ in 0..3 {
        assert_eq!(enter(&mut client, "7 east,west", &["east", "east"]).await, accepted());
        assert_eq!(received(&foyer, &mut client).await, [1]);
    }
    assert_eq!(enter(&mut client, "7 west", &[]).await, accepted());
    assert_eq!(received(&foyer, &mut client).await, [0; 0], "the new user may not be in the hall");
    assert_eq!(enter(&mut client, "7 west", &["west"]).await, accepted(), "its slot is free");
    assert_eq!(received(&foyer, &mut client).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn subscription_of_an_authentication_carries_its_request_id() {
    let (_, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    let message = client.call("authenticate").request_id("login").with("token", "7 east").with("halls", ["subscribe"]);
    assert_eq!(message.await.status(), 204);
    foyer.publisher().publish(&Hall("east"), Said(1));
    assert_eq!(client.reply().await.value(), &json!({"event": "said", "data": 1, "request_ids": ["login"]}));
}

#[tokio::test(start_paused = true)]
async fn join_takes_effect_while_another_action_runs() {
    let (state, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    client.send(r#"{"action":"wait","request_id":"wait"}"#);
    assert_eq!(enter(&mut client, "7 east", &["east"]).await, accepted());
    foyer.publisher().publish(&Hall("east"), Said(1));
    assert_eq!(client.event_as::<u32>("said").await, 1);
    state.resume.notify_one();
    assert_eq!(client.reply().await.value()["request_id"], "wait");
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn leaving_and_publishing_in_authenticate_are_faults() {
    let (_, foyer) = foyer(8);
    let mut client = connect(&foyer).open().await.unwrap();
    for step in ["leave", "publish"] {
        assert_eq!(enter(&mut client, "7 east", &["east", step]).await, (500, "internal_error".to_owned()), "{step}");
    }
    assert_eq!(received(&foyer, &mut client).await, [0; 0]);
}

/// The change does not find the connection, which is anonymous until the last join is authorized.
#[tokio::test(start_paused = true)]
async fn right_revoked_between_two_joins_ends_the_first() {
    for is_revoked in [false, true] {
        let (state, foyer) = foyer(8);
        let mut client = connect(&foyer).open().await.unwrap();
        client.send(r#"{"action":"authenticate","token":"7","halls":["archive","slow"]}"#);
        state.started.notified().await;
        state.is_revoked.store(is_revoked, Ordering::SeqCst);
        assert!(foyer.connections().refresh_user("7").revalidated().await.is_acknowledged());
        state.resume.notify_one();
        assert_eq!(client.reply().await.status(), 204);
        // Once for the join, and once for the revalidation of the new user.
        state.started.notified().await;
        state.resume.notify_one();
        foyer.publisher().publish(&Archive, Said(1));
        foyer.publisher().publish(&Hall("slow"), Said(2));
        if !is_revoked {
            assert_eq!(client.event_as::<u32>("said").await, 1);
        }
        assert_eq!(client.event_as::<u32>("said").await, 2);
        client.expect_silence().await;
    }
}
