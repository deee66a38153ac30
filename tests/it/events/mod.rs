//! Groups and events: membership, delivery, event permissions, and the order with replies.

mod grant_source;
mod membership;
mod ordering;
mod visibility;

use std::collections::HashMap;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Endpoint, Error, Event, EventPermission, GrantKey, Group, GroupPermission,
    ObjectKey, Result, Scope, Streamed, consumer, handler,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::common::codenames::uploads;
use crate::common::{Member, member};
use grant_source::FakeGrants;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct ChannelId(u32);

impl GrantKey for ChannelId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

/// Room 1 requires the role `member`; the other rooms are public.
struct RoomMember;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Messenger, permission = "RoomMember", publish = AllowAny, events(Said, Uploaded, Secret, Unserializable))]
struct Room(u32);

impl GroupPermission<Room, Messenger> for RoomMember {
    async fn may_join(&self, chat: &Messenger, scope: &Scope<Member>, room: &Room) -> Result<bool> {
        match room.0 {
            13 => Err(Error::internal("the store's secret")),
            14 => panic!("the store's secret"),
            15 => std::future::pending().await,
            1 => Ok(scope.user().is_some_and(|member| member.roles.contains(&"member")) && chat.open),
            _ => Ok(true),
        }
    }
}

/// Every connection is a member.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Messenger, permission = AllowAny, publish = AllowAny, events(Said))]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Other, permission = AllowAny, publish = members, events(Said))]
struct Elsewhere;

#[derive(Event)]
struct Said(String);

#[derive(Event)]
struct Uploaded {
    channel: ChannelId,
    file: u32,
}

#[derive(Event)]
struct Secret(String);

#[derive(Event)]
struct Unserializable(String);

/// Holds if the member is not muted.
struct Unmuted;

impl EventPermission<Said, Messenger> for Unmuted {
    fn may_see(&self, _: &Messenger, scope: &Scope<Member>, said: &Said) -> bool {
        assert!(said.0 != "panic" || scope.user().is_none_or(|member| member.id != 2), "a permission's secret");
        scope.user().is_none_or(|member| !member.roles.contains(&"muted"))
    }
}

struct Messenger {
    open: bool,
    rooms: Rooms,
    wait: Notify,
}

struct Rooms;

#[consumer(user = Member)]
impl Messenger {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await?;
        if cx.user().is_some_and(|member| member.roles.contains(&"eager")) { cx.join(Room(1)).await } else { Ok(()) }
    }

    #[event(permission = Unmuted)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[event(permission = "uploads.read(channel)", name = "upload.created")]
    fn uploaded(&self, event: &Uploaded) -> Value {
        json!({"channel": event.channel, "file": event.file})
    }

    /// The text for spies, dots for other members, and nothing for anonymous connections.
    #[event(permission = AllowAny)]
    fn secret(&self, event: &Secret, scope: &Scope<Member>) -> Option<String> {
        let member = scope.user()?;
        Some(if member.roles.contains(&"spy") { event.0.clone() } else { "...".to_owned() })
    }

    #[event(permission = AllowAny)]
    fn odd(&self, event: &Unserializable) -> HashMap<Vec<u8>, u32> {
        assert_ne!(event.0, "panic", "a method's secret");
        // A map with keys that are no strings cannot be serialized as JSON.
        HashMap::from([(vec![1], 2)])
    }

    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = AllowAny)]
    async fn join_and_fail(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await?;
        cx.leave(Lobby)?;
        cx.publish(Lobby, Said("never".to_owned())).await?;
        Err(Error::conflict("It does not fit."))
    }

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        // Published while the connection is a member, and sent after it has left.
        cx.publish(Room(room), Said("bye".to_owned())).await?;
        cx.leave(Room(room))
    }

    #[action(permission = AllowAny)]
    async fn come_and_go(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await?;
        cx.leave(Room(room))
    }

    #[action(permission = AllowAny)]
    async fn elsewhere(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Elsewhere).await
    }

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.wait.notified().await;
    }

    #[action(permission = AllowAny)]
    async fn stream(
        &self,
        cx: &Context<'_, Member>,
        well: bool,
    ) -> Result<Streamed<impl futures_util::Stream<Item = Result<u8>> + use<>>> {
        cx.publish(Lobby, Said("streamed".to_owned())).await?;
        let end = if well { Ok(2) } else { Err(Error::conflict("It broke.")) };
        Ok(Streamed(futures_util::stream::iter([Ok(1), end])))
    }

    #[route("rooms/{room}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[handler(user = Member, permission = AllowAny)]
impl Rooms {
    #[action]
    async fn say(&self, cx: &Context<'_, Member>, #[path] room: u32) -> Result<()> {
        cx.publish(Room(room), Said("hello".to_owned())).await
    }

    #[action]
    async fn whisper(&self, cx: &Context<'_, Member>, #[path] room: u32) -> Result<()> {
        cx.publish_to_others(Room(room), Said("psst".to_owned())).await
    }
}

struct Other;

#[consumer(user = Member)]
impl Other {
    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

fn chat(source: &FakeGrants) -> Endpoint<Messenger> {
    portcullis::websocket(Messenger { open: true, rooms: Rooms, wait: Notify::new() }).grants(source.clone())
}

async fn open(chat: &Endpoint<Messenger>, id: u32, roles: &[&'static str]) -> Client {
    connect(chat).user(member(id, roles)).open().await.unwrap()
}

/// Joins a room and waits until the join has taken effect.
async fn join(client: &mut Client, room: u32) {
    assert_eq!(client.call("join").with("room", room).await.status(), 200);
    settle(client).await;
}

/// The side effects of a reply have happened when the next reply arrives.
async fn settle(client: &mut Client) {
    assert_eq!(client.call("nothing").await.status(), 405);
}

async fn event(client: &mut Client) -> Value {
    let frame = client.reply().await;
    assert!(frame.value().get("event").is_some(), "{}", frame.text());
    frame.value().clone()
}

fn said(text: &str) -> Value {
    json!({"event": "said", "data": text})
}
