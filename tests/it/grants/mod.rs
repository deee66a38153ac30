//! Grants: codenames, object overwrites and the cache.

mod cache;
mod codenames;
mod grant_source;
mod overwrites;

use std::time::Duration;

use futures_util::FutureExt;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Endpoint, Error, GrantKey, GrantSource, IsAuthenticated, Limits, Load, Object,
    ObjectKey, Result, consumer, handler,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::codenames::uploads;
use crate::common::{Member, member};
use grant_source::FakeGrants;

portcullis::permissions! {
    chat {
        can_use_chat = "Can use chat",
        can_moderate_chat = "May delete what others wrote",
    }
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
struct ChannelId(u32);

impl GrantKey for ChannelId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

impl std::str::FromStr for ChannelId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(ChannelId)
    }
}

/// A file in a channel.
struct File {
    channel: u32,
}

impl GrantKey for File {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.channel)
    }
}

/// The key of a file is the number of its channel; above 100 there is no file.
impl Load<Channels> for File {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Channels, _: &Context<'_, Member>, key: &u32) -> Result<Option<File>> {
        Ok((*key <= 100).then_some(File { channel: *key }))
    }
}

struct Chat {
    channels: Channels,
}

struct Channels;

#[consumer(user = Member, permission = chat.can_use_chat)]
impl Chat {
    #[action]
    async fn talk(&self) {}

    #[action(permission = chat.can_moderate_chat | uploads.write)]
    async fn any_of(&self) {}

    #[action(permission = "chat.can_moderate_chat & uploads.write")]
    async fn all_of(&self) {}

    #[action(permission = "IsAuthenticated & (uploads.read | uploads.write) & chat.can_moderate_chat")]
    async fn combined(&self) {}

    #[action(permission = IsAuthenticated)]
    async fn asks(&self, cx: &Context<'_, Member>, channel: ChannelId) -> Result<Value> {
        Ok(json!([cx.may(uploads::read).await?, cx.may_on(uploads::read, &channel).await?]))
    }

    /// Counts the allocations of 100 checks of each kind, after everything is loaded.
    #[action(permission = IsAuthenticated)]
    async fn allocations(&self, cx: &Context<'_, Member>) -> Result<u64> {
        let channel = ChannelId(5);
        let all = async || Ok::<_, Error>([cx.may(uploads::read).await?, cx.may_on(uploads::read, &channel).await?]);
        assert_eq!(all().await?, [true; 2]);
        let checks = || {
            for _ in 0..100 {
                assert_eq!(all().now_or_never().unwrap().unwrap(), [true; 2]);
            }
        };
        Ok(allocation_counter::measure(checks).count_total)
    }

    #[action(permission = IsAuthenticated)]
    async fn promoted(&self, cx: &Context<'_, Member>) {
        cx.scope().forget_grants();
    }

    #[route("channels/", permission = chat.can_use_chat)]
    fn channels(&self) -> &Channels {
        &self.channels
    }

    #[route("channel/{channel}/")]
    fn channel(&self) -> &Channel {
        &Channel
    }
}

#[handler(user = Member, permission = inherited)]
impl Channels {
    #[action(permission = uploads.read(channel))]
    async fn list(&self, channel: ChannelId) -> u32 {
        channel.0
    }

    #[action(permission = uploads.read(channel))]
    async fn list_if(&self, channel: Option<ChannelId>) -> Option<u32> {
        channel.map(|channel| channel.0)
    }

    #[action(permission = "uploads.read(channels)")]
    async fn list_all(&self, channels: Vec<ChannelId>) -> usize {
        channels.len()
    }

    #[action(permission = "uploads.read(file) | chat.can_moderate_chat")]
    async fn open(&self, file: Object<File>) -> u32 {
        file.channel
    }

    #[action(permission = "uploads.read(files) & AllowAny(file)")]
    async fn open_all(&self, files: Vec<Object<File>>, file: Option<Object<File>>) -> usize {
        files.len() + usize::from(file.is_some())
    }
}

struct Channel;

#[handler(user = Member)]
impl Channel {
    #[action(permission = uploads.read(channel))]
    async fn list(&self, #[path] channel: ChannelId) -> u32 {
        channel.0
    }
}

struct Office;

#[consumer(user = Member, connect = "chat.can_moderate_chat")]
impl Office {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        if cx.may(uploads::write).await? { Ok(()) } else { Err(Error::denied()) }
    }

    #[action(permission = AllowAny)]
    async fn sit(&self) {}
}

fn chat(grants: impl GrantSource<Member>) -> Endpoint<Chat> {
    let limits = Limits { action_timeout: Duration::from_secs(1), ..Limits::default() };
    portcullis::websocket(Chat { channels: Channels }).grants(grants).limits(limits)
}

async fn open(endpoint: &Endpoint<Chat>, id: u32) -> Client {
    connect(endpoint).user(member(id, &[])).open().await.unwrap()
}

#[tokio::test]
async fn loaded_grants_are_checked_without_allocation() {
    let source = FakeGrants::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let mut client = open(&chat(source), 1).await;
    assert_eq!(client.call("allocations").await.data(), 0);
}
