//! What people may do changes while they are connected: nothing is delivered on what was true before.

mod connected;
mod in_progress;
mod races;
mod random;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Connections, Context, Endpoint, GrantSet, GrantSource, Group, GroupPermission,
    Permission, Result, Scope, Streamed, UserGrants, consumer,
};

use crate::common::codenames::uploads;
use crate::common::{Member, member};

/// What everybody may do at this moment.
#[derive(Default)]
struct Truth {
    seers: Mutex<HashSet<u32>>,
    inside: Mutex<HashSet<u32>>,
    banned: Mutex<HashSet<u32>>,
    /// How often each question waits before it is answered.
    patience: AtomicUsize,
    asked: AtomicUsize,
    go_on: tokio::sync::Notify,
}

impl Truth {
    fn has(set: &Mutex<HashSet<u32>>, member: &Member) -> bool {
        set.lock().unwrap().contains(&member.id)
    }

    async fn wait(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        for _ in 0..self.patience.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
}

struct Source(Arc<Truth>);

impl GrantSource<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        // What is read first may not be true any more when it is given.
        let seer = Truth::has(&self.0.seers, user);
        self.0.wait().await;
        Ok(if seer { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }
}

struct Community {
    truth: Arc<Truth>,
}

struct Banned;

impl Permission<Community> for Banned {
    async fn has_permission(&self, chat: &Community, cx: &Context<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| Truth::has(&chat.truth.banned, member)))
    }

    async fn can_connect(&self, chat: &Community, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        let banned = cx.user().is_some_and(|member| Truth::has(&chat.truth.banned, member));
        chat.truth.wait().await;
        Ok(Some(banned))
    }
}

struct Inside;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Community, permission = Inside, events(Said))]
struct Room;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Community, permission = AllowAny, events(Uploaded, Said))]
struct Lobby;

impl GroupPermission<Room, Community> for Inside {
    async fn may_join(&self, chat: &Community, scope: &Scope<Member>, _: &Room) -> Result<bool> {
        let inside = scope.user().is_some_and(|member| Truth::has(&chat.truth.inside, member));
        chat.truth.wait().await;
        Ok(inside)
    }
}

struct Said(u32);
struct Uploaded(u32);

#[consumer(user = Member, permission = !Banned)]
impl Community {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await?;
        match cx.join(Room).await {
            Err(error) if error.status() != 403 => Err(error),
            _ => Ok(()),
        }
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[action]
    async fn ping(&self) {}

    /// Waits until somebody lets it go on, and then goes on for ever.
    #[action(permission = uploads.read)]
    async fn stream(&self) -> Streamed<impl futures_util::Stream<Item = u8> + use<>> {
        self.truth.go_on.notified().await;
        Streamed(futures_util::stream::repeat(1))
    }

    /// Asks to come in, and waits until somebody lets it go on.
    #[action]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room).await?;
        self.truth.go_on.notified().await;
        Ok(())
    }
}

struct World {
    truth: Arc<Truth>,
    chat: Endpoint<Community>,
    sessions: Connections<Community>,
}

fn world() -> World {
    let truth = Arc::<Truth>::default();
    let chat = portcullis::websocket(Community { truth: truth.clone() }).grants(Source(truth.clone()));
    let sessions = chat.connections();
    World { truth, chat, sessions }
}

impl World {
    async fn open(&self, id: u32) -> Client {
        let mut client = connect(&self.chat).user(member(id, &[])).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }
}

async fn next(client: &mut Client) -> serde_json::Value {
    client.reply().await.value().clone()
}
