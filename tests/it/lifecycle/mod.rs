//! The lifecycle of connections: disconnected users cause nothing more, ended connections leave nothing behind, and values
//! that panic or block on drop harm no other connection.

mod churn;
mod credentials;
mod disconnect;
mod drops;
mod group_limit;
mod slow_reader;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Event, EventPermission, Group, GroupPermission,
    Permission, PermissionContext, RequestId, Result, Scope, consumer,
};

use crate::common::codenames::uploads;
use drops::{BlocksOnDrop, PanickingKey, PanicsOnDrop, PublishesOnDrop};
use state::{FakeGrants, Member, State, member};

struct HandshakeOpen;

impl Permission<House> for HandshakeOpen {
    async fn has_permission(&self, _: &House, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, house: &House, _: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        State::wait_until_open(&house.0.handshake_open).await;
        Ok(Some(true))
    }
}

struct NotDenied;

impl Permission<House> for NotDenied {
    async fn has_permission(&self, house: &House, _: &PermissionContext<'_, Member>) -> Result<bool> {
        State::wait_until_open(&house.0.permission_open).await;
        Ok(!house.0.is_denied.load(Ordering::SeqCst))
    }
}

struct MayStay;

impl GroupPermission<Lobby, House> for MayStay {
    async fn may_join(&self, house: &House, _: &Scope<Member>, _: &Lobby) -> Result<bool> {
        Ok(!house.0.is_outside.load(Ordering::SeqCst))
    }
}

/// Counts its evaluations and denies all.
struct CountsMembers;

impl EventPermission<Search, House> for CountsMembers {
    fn may_see(&self, house: &House, _: &Scope<Member>, _: &Search) -> bool {
        house.0.members_found.fetch_add(1, Ordering::SeqCst);
        false
    }
}

#[derive(Event)]
struct Said(u32);

/// Counts members, and is delivered to none.
#[derive(Event)]
struct Search;

/// So large that the buffers of a socket hold only a few.
#[derive(Event)]
struct Page;

/// Every connection joins on connect.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = MayStay, publish = members, events(Said, Search, Page, BlocksOnDrop), local)]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = AllowAny, publish = AllowAny, events(Said, Search))]
struct Room(u32);

struct House(Arc<State>);

#[consumer(user = Member, permission = HandshakeOpen)]
impl House {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Member>) {
        self.0.disconnected.notify_one();
    }

    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<Member>> {
        let blocker = self.0.blocker.lock().unwrap().take();
        self.0.authenticating.notify_one();
        if let Some(blocker) = blocker {
            // A dropped sender releases it too.
            let _ = blocker.recv();
        }
        match token.strip_prefix("wait ") {
            Some(token) => {
                self.0.authenticate_permit.notified().await;
                Ok(Some(member(token)))
            }
            None => Ok(Some(member(&token))),
        }
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn page(&self, _: &Page) -> String {
        "x".repeat(256 * 1024)
    }

    #[event(permission = CountsMembers)]
    fn search(&self, _: &Search) -> u32 {
        0
    }

    #[event(permission = uploads.read)]
    fn ending(&self, _: &BlocksOnDrop) -> u32 {
        0
    }

    #[action]
    async fn ping(&self) {}

    #[action]
    async fn count(&self) {
        self.0.count_calls.fetch_add(1, Ordering::SeqCst);
    }

    #[action]
    async fn hold(&self) -> &'static str {
        self.0.run().await;
        "a secret"
    }

    #[action]
    async fn say(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(Room(1), Said(1)).await?;
        self.0.run().await;
        Ok(())
    }

    #[action(detached)]
    async fn say_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(Room(1), Said(1)).await?;
        self.0.run().await;
        Ok(())
    }

    #[action]
    async fn ban(&self, cx: &Context<'_, Member>, user: String) -> Result<()> {
        assert!(cx.connections::<House>()?.disconnect_user(&user).await.is_acknowledged());
        Ok(())
    }

    #[action]
    async fn move_between(&self, cx: &Context<'_, Member>, leave: Vec<u32>, join: Vec<u32>) -> Result<()> {
        for room in leave {
            cx.leave(Room(room))?;
        }
        for room in join {
            cx.join(Room(room)).await?;
        }
        Ok(())
    }

    #[action]
    async fn subscribe(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.subscribe(Room(room)).await
    }

    #[action]
    async fn unsubscribe(&self, cx: &Context<'_, Member>, room: u32, subscription: RequestId) -> Result<()> {
        cx.unsubscribe(Room(room), subscription)
    }

    #[action(detached)]
    async fn enter_detached(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        tokio::task::yield_now().await;
        cx.join(Room(room)).await
    }

    #[action(detached)]
    async fn enter_and_look_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        self.0.started.notify_one();
        self.0.authenticate_permit.notified().await;
        Ok(())
    }

    #[action(permission = NotDenied)]
    async fn enter_asked(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        self.0.run().await;
        Ok(())
    }

    #[action(permission = NotDenied, detached)]
    async fn enter_asked_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        self.0.run().await;
        Ok(())
    }

    #[action]
    async fn enter_odd(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(PanickingKey).await?;
        cx.join(Room(1)).await
    }

    #[action]
    async fn enter_telling(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(PublishesOnDrop).await
    }

    #[action]
    async fn may_before_and_after(&self, cx: &Context<'_, Member>) -> Result<(bool, bool)> {
        let before = cx.may(uploads::read).await?;
        self.0.run().await;
        Ok((before, cx.may(uploads::read).await?))
    }

    #[action]
    async fn end_badly(&self) {
        let _panics = PanicsOnDrop;
        std::future::pending::<()>().await;
    }

    #[action(detached)]
    async fn end_badly_detached(&self) {
        let _panics = PanicsOnDrop;
        std::future::pending::<()>().await;
    }
}

fn house() -> (Arc<State>, Endpoint<House>) {
    let state = State::new();
    let house = portcullis::websocket(House(state.clone())).grants(FakeGrants(state.clone()));
    (state, house)
}

async fn open(house: &Endpoint<House>, token: &str) -> Client {
    let mut client = connect(house).user(member(token)).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

async fn join_room(client: &mut Client, room: u32) {
    let reply = client.call("move_between").with("leave", Vec::<u32>::new()).with("join", [room]).await;
    assert_eq!(reply.status(), 200);
}
