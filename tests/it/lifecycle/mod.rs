//! What fails closed, ends in order and leaves nothing behind: who was disconnected causes nothing more, events wait for the
//! reply that joined what they come by, and nobody suffers from what panics or hangs as it is dropped.

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
    AllowAny, ConnectContext, Context, Endpoint, EventPermission, Group, GroupPermission, Permission, RequestId,
    Result, Scope, consumer,
};

use crate::common::codenames::uploads;
use drops::{Ending, Odd, Panics, Telling};
use state::{Member, Source, Truth, member};

struct Door;

impl Permission<House> for Door {
    async fn has_permission(&self, _: &House, _: &Context<'_, Member>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, desk: &House, _: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        Truth::opened(&desk.0.door).await;
        Ok(Some(true))
    }
}

struct Asked;

impl Permission<House> for Asked {
    async fn has_permission(&self, desk: &House, _: &Context<'_, Member>) -> Result<bool> {
        Truth::opened(&desk.0.permission).await;
        Ok(!desk.0.denied.load(Ordering::SeqCst))
    }
}

struct Inside;

impl GroupPermission<Lobby, House> for Inside {
    async fn may_join(&self, desk: &House, _: &Scope<Member>, _: &Lobby) -> Result<bool> {
        Ok(!desk.0.outside.load(Ordering::SeqCst))
    }
}

/// Counts whom it is asked about.
struct Finds;

impl EventPermission<Search, House> for Finds {
    fn may_see(&self, desk: &House, _: &Scope<Member>, _: &Search) -> bool {
        desk.0.found.fetch_add(1, Ordering::SeqCst);
        false
    }
}

struct Said(u32);

/// Finds members, and is seen by nobody.
struct Search;

/// So large that the buffers of a socket hold but a few.
struct Page;

/// Everybody is in it from the start.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = Inside, events(Said, Search, Page, Ending))]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = AllowAny, events(Said, Search))]
struct Room(u32);

struct House(Arc<Truth>);

#[consumer(user = Member, permission = Door)]
impl House {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[disconnect]
    async fn bye(&self, _: &Scope<Member>) {
        self.0.gone.notify_one();
    }

    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<Member>> {
        let block = self.0.block.lock().unwrap().take();
        self.0.looking.notify_one();
        if let Some(block) = block {
            // Whoever waits for nothing more lets it go on too.
            let _ = block.recv();
        }
        match token.strip_prefix("wait ") {
            Some(token) => {
                self.0.looked.notified().await;
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

    #[event(permission = Finds)]
    fn search(&self, _: &Search) -> u32 {
        0
    }

    #[event(permission = uploads.read)]
    fn ending(&self, _: &Ending) -> u32 {
        0
    }

    #[action]
    async fn ping(&self) {}

    #[action]
    async fn count(&self) {
        self.0.counted.fetch_add(1, Ordering::SeqCst);
    }

    #[action]
    async fn hold(&self) -> &'static str {
        self.0.run().await;
        "a secret"
    }

    #[action]
    async fn say(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(Room(1), Said(1))?;
        self.0.run().await;
        Ok(())
    }

    #[action(detached)]
    async fn say_beside(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(Room(1), Said(1))?;
        self.0.run().await;
        Ok(())
    }

    #[action]
    async fn ban(&self, cx: &Context<'_, Member>, user: String) -> Result<()> {
        cx.connections::<House>()?.disconnect_user(&user);
        Ok(())
    }

    #[action]
    async fn walk(&self, cx: &Context<'_, Member>, leave: Vec<u32>, join: Vec<u32>) -> Result<()> {
        for room in leave {
            cx.leave(Room(room))?;
        }
        for room in join {
            cx.join(Room(room)).await?;
        }
        Ok(())
    }

    #[action]
    async fn watch(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.subscribe(Room(room)).await
    }

    #[action]
    async fn unwatch(&self, cx: &Context<'_, Member>, room: u32, subscription: RequestId) -> Result<()> {
        cx.unsubscribe(Room(room), subscription)
    }

    #[action(detached)]
    async fn enter_beside(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        tokio::task::yield_now().await;
        cx.join(Room(room)).await
    }

    #[action(detached)]
    async fn enter_and_look_beside(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        self.0.begun.notify_one();
        self.0.looked.notified().await;
        Ok(())
    }

    #[action(permission = Asked)]
    async fn enter_asked(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        self.0.run().await;
        Ok(())
    }

    #[action]
    async fn enter_odd(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Odd).await?;
        cx.join(Room(1)).await
    }

    #[action]
    async fn enter_telling(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Telling).await
    }

    #[action]
    async fn may_before_and_after(&self, cx: &Context<'_, Member>) -> Result<(bool, bool)> {
        let before = cx.may(uploads::read).await?;
        self.0.run().await;
        Ok((before, cx.may(uploads::read).await?))
    }

    #[action]
    async fn end_badly(&self) {
        let _panics = Panics;
        std::future::pending::<()>().await;
    }

    #[action(detached)]
    async fn end_badly_beside(&self) {
        let _panics = Panics;
        std::future::pending::<()>().await;
    }
}

fn desk() -> (Arc<Truth>, Endpoint<House>) {
    let truth = Truth::new();
    let desk = portcullis::websocket(House(truth.clone())).grants(Source(truth.clone()));
    (truth, desk)
}

async fn open(desk: &Endpoint<House>, token: &str) -> Client {
    let mut client = connect(desk).user(member(token)).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

async fn enter(client: &mut Client, room: u32) {
    let reply = client.call("walk").with("leave", Vec::<u32>::new()).with("join", [room]).await;
    assert_eq!(reply.status(), 200);
}
