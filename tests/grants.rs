//! Codenames: what a source grants, as it is and as single objects overwrite it; loaded once, and again when it is forgotten.

mod common;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Member, member};
use futures_util::FutureExt;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Codename, Connect, Context, Endpoint, Error, GrantCache, GrantKey, GrantSet, Grants, IsAuthenticated,
    Limits, Load, Object, ObjectKey, Overwrites, Result, UserGrants, consumer, handler,
};
use serde::Deserialize;
use serde_json::{Value, json};

portcullis::permissions! {
    chat {
        can_use_chat = "Can use chat",
        can_moderate_chat = "May delete what others wrote",
    }
    /// What is up in the channels.
    pub uploads {
        read = "Sees uploads",
        /// May also remove them.
        write = "Uploads",
    }
}

/// A database: roles of users, codenames of roles, overwrites of channels.
#[derive(Default)]
struct Database {
    granted: HashMap<u32, UserGrants>,
    overwrites: HashMap<String, Overwrites>,
    /// What was asked of it.
    asked: Vec<String>,
    /// How it fails from now on.
    trouble: Option<&'static str>,
}

#[derive(Clone, Default)]
struct Source(Arc<Mutex<Database>>);

impl Source {
    fn grant(&self, id: u32, grants: &[Codename], roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        let granted = UserGrants { grants: grants.iter().copied().collect(), roles };
        self.0.lock().unwrap().granted.insert(id, granted);
    }

    fn overwrite(&self, channel: u32, overwrites: Overwrites) {
        self.0.lock().unwrap().overwrites.insert(channel.to_string(), overwrites);
    }

    fn trouble(&self, trouble: Option<&'static str>) {
        self.0.lock().unwrap().trouble = trouble;
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    async fn troubled(&self) -> Result<()> {
        let trouble = self.0.lock().unwrap().trouble;
        match trouble {
            None => Ok(()),
            Some("hang") => std::future::pending().await,
            Some("panic") => panic!("the source's secret"),
            Some(_) => Err(Error::internal("the source's secret")),
        }
    }
}

impl Grants<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.lock().unwrap().asked.push(format!("user {}", user.id));
        self.troubled().await?;
        Ok(self.0.lock().unwrap().granted.get(&user.id).cloned().unwrap_or_default())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let names: Vec<String> = objects.iter().map(|key| format!("{} {}", key.kind(), key.id())).collect();
        self.0.lock().unwrap().asked.push(names.join(", "));
        self.troubled().await?;
        let database = self.0.lock().unwrap();
        Ok(objects
            .iter()
            .map(|key| database.overwrites.get(&key.id().to_string()).cloned().unwrap_or_default())
            .collect())
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

/// A file's key is its channel's number; above 100 there is none.
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

    /// Allocations of a hundred checks of each kind, once everything is loaded.
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
    async fn connect(&self, cx: &Connect<'_, Member>) -> Result<()> {
        if cx.may(uploads::write).await? { Ok(()) } else { Err(Error::denied()) }
    }

    #[action(permission = AllowAny)]
    async fn sit(&self) {}
}

fn chat(grants: impl Grants<Member>) -> Endpoint<Chat> {
    let limits = Limits { action: Duration::from_secs(1), ..Limits::default() };
    portcullis::websocket(Chat { channels: Channels }).grants(grants).limits(limits)
}

async fn open(endpoint: &Endpoint<Chat>, id: u32) -> Client {
    connect(endpoint).user(member(id, &[])).open().await.unwrap()
}

/// The statuses of these actions, one after the other.
async fn statuses(client: &mut Client, actions: &[&str]) -> Vec<u16> {
    let mut all = Vec::new();
    for action in actions {
        all.push(client.call(action).await.status());
    }
    all
}

const ACTIONS: [&str; 4] = ["talk", "any_of", "all_of", "combined"];

#[tokio::test]
async fn a_codename_is_asked_of_the_user_s_grants() {
    let source = Source::default();
    let (talk, moderate) = (chat::can_use_chat, chat::can_moderate_chat);
    let endpoint = chat(source.clone());
    for (id, grants, wanted) in [
        (1, vec![], [403, 403, 403, 403]),
        (2, vec![moderate, uploads::write], [403, 403, 403, 403]),
        (3, vec![talk], [200, 403, 403, 403]),
        (4, vec![talk, moderate], [200, 200, 403, 403]),
        (5, vec![talk, uploads::write], [200, 200, 403, 403]),
        (6, vec![talk, moderate, uploads::write], [200, 200, 200, 200]),
        (7, vec![talk, moderate, uploads::read], [200, 200, 403, 200]),
    ] {
        source.grant(id, &grants, &[]);
        let mut client = open(&endpoint, id).await;
        assert_eq!(statuses(&mut client, &ACTIONS).await, wanted, "{grants:?}");
        assert_eq!(source.asked(), [format!("user {id}")], "once a connection");
    }
    source.0.lock().unwrap().granted.insert(8, GrantSet::all().into());
    assert_eq!(statuses(&mut open(&endpoint, 8).await, &ACTIONS).await, [200; 4]);
    source.asked();
    let mut stranger = connect(&endpoint).open().await.unwrap();
    assert_eq!(statuses(&mut stranger, &ACTIONS).await, [403; 4]);
    assert!(source.asked().is_empty(), "nobody grants anything to a stranger");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_refuses_and_is_asked_again() {
    let source = Source::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let endpoint = chat(source.clone());
    let mut client = open(&endpoint, 1).await;
    for trouble in ["fail", "hang", "panic"] {
        source.trouble(Some(trouble));
        let reply = client.call("talk").await;
        assert_eq!(reply.status(), 500, "{trouble}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    source.trouble(None);
    assert_eq!(client.call("talk").await.status(), 200);
    source.asked();
    for trouble in ["fail", "hang", "panic"] {
        source.trouble(Some(trouble));
        assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 500, "{trouble}");
        assert_eq!(client.call("talk").await.status(), 200, "what is known stays known");
    }
    source.trouble(None);
    assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 200);
    assert_eq!(source.asked(), ["channel 5"; 4]);
}

#[tokio::test]
async fn an_object_overwrites_what_was_granted() {
    let source = Source::default();
    let read = uploads::read;
    source.grant(1, &[chat::can_use_chat], &["new"]);
    source.grant(2, &[chat::can_use_chat, uploads::read], &["new", "old"]);
    let (closed, open_to_all) = (Overwrites::new().deny_everyone(read), Overwrites::new().allow_everyone(read));
    source.overwrite(1, open_to_all.clone());
    source.overwrite(2, closed.clone());
    source.overwrite(3, closed.clone().allow_role("old", read));
    source.overwrite(4, open_to_all.clone().deny_role("new", read));
    source.overwrite(5, open_to_all.clone().deny_role("new", read).allow_role("old", read));
    source.overwrite(6, closed.allow_member("1", read));
    source.overwrite(7, open_to_all.deny_member("2", read));
    let endpoint = chat(source.clone());
    let (mut one, mut two) = (open(&endpoint, 1).await, open(&endpoint, 2).await);
    source.asked();
    for (channel, wanted) in [
        (0, [403, 200]),
        (1, [200, 200]),
        (2, [403, 403]),
        (3, [403, 200]),
        (4, [403, 403]),
        (5, [403, 200]),
        (6, [200, 403]),
        (7, [200, 403]),
    ] {
        let mut told = [0; 2];
        for (client, told) in [&mut one, &mut two].into_iter().zip(&mut told) {
            *told = client.call("list").route("channels/").with("channel", channel).await.status();
            let again = client.call("list").route(&format!("channel/{channel}/")).await.status();
            assert_eq!(*told, again, "the same for a capture");
            let moderates = client.call("open").route("channels/").with("file", channel).await.status();
            assert_eq!(*told, moderates, "the same for an object");
            let asked = client.call("asks").with("channel", channel).await;
            assert_eq!(asked.data()[1], *told == 200, "the same in an action");
        }
        assert_eq!(told, wanted, "channel {channel}");
    }
    let asked = source.asked();
    let channels: Vec<_> = asked.iter().filter(|asked| asked.starts_with("channel")).collect();
    assert_eq!(channels.len(), 8, "once a machine and object: {asked:?}");
}

#[tokio::test]
async fn several_objects_are_asked_about_at_once() {
    let source = Source::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    source.overwrite(3, Overwrites::new().deny_everyone(uploads::read));
    let endpoint = chat(source.clone());
    let mut client = open(&endpoint, 1).await;
    assert_eq!(client.call("talk").await.status(), 200);
    source.asked();
    let mut list = async |action: &str, key: &str, value: Value| {
        client.call(action).route("channels/").with(key, value).await.status()
    };
    assert_eq!(list("list_all", "channels", json!([1, 2])).await, 200);
    assert_eq!(list("list_all", "channels", json!([1, 2, 3])).await, 403);
    assert_eq!(list("open_all", "files", json!([1, 3])).await, 403);
    assert_eq!(list("open_all", "files", json!([4, 1, 5])).await, 200);
    assert_eq!(list("open_all", "files", json!([4, 101])).await, 403);
    assert_eq!(source.asked(), ["channel 1, channel 2", "channel 3", "channel 4, channel 5"]);
    // Without an object it is the plain codename.
    assert_eq!(list("list_if", "channel", Value::Null).await, 200);
    assert_eq!(list("list_all", "channels", json!([])).await, 200);
    let mut without = open(&endpoint, 2).await;
    source.grant(2, &[chat::can_use_chat], &[]);
    for (action, key, value) in [("list_if", "channel", Value::Null), ("list_all", "channels", json!([]))] {
        assert_eq!(without.call(action).route("channels/").with(key, value).await.status(), 403);
    }
}

#[tokio::test]
async fn an_administrator_passes_whatever_an_object_says() {
    let source = Source::default();
    source.0.lock().unwrap().granted.insert(1, GrantSet::all().into());
    source.overwrite(5, Overwrites::new().deny_everyone(GrantSet::all()));
    let mut client = open(&chat(source.clone()), 1).await;
    assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 200);
    assert_eq!(source.asked(), ["user 1"], "and so nothing is looked up");
}

/// Whether somebody may talk, and whether they see the uploads of channel 5.
async fn sees(client: &mut Client) -> [u16; 2] {
    [client.call("talk").await.status(), client.call("list").route("channels/").with("channel", 5).await.status()]
}

#[tokio::test]
async fn every_handle_on_a_cache_is_one_on_the_same() {
    let source = Source::default();
    source.grant(1, &[chat::can_use_chat], &[]);
    let cache = GrantCache::new(source.clone());
    for shared in
        [chat(Arc::new(cache.clone())), chat(GrantCache::new(cache.clone())), chat(Arc::new(Arc::new(cache.clone())))]
    {
        source.grant(1, &[chat::can_use_chat], &[]);
        let mut client = open(&shared, 1).await;
        assert_eq!(client.call("talk").await.status(), 200);
        source.grant(1, &[], &[]);
        cache.forget_all();
        assert_eq!(client.call("talk").await.status(), 403);
    }
}

#[tokio::test]
async fn a_list_of_keys_has_an_end() {
    let source = Source::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let mut client = open(&chat(source.clone()), 1).await;
    for (count, status) in [(100, 200), (101, 400)] {
        let many: Vec<u32> = (0..count).collect();
        let reply = client.call("list_all").route("channels/").with("channels", many).await;
        assert_eq!(reply.status(), status, "{}", reply.text());
    }
}

#[tokio::test]
async fn what_is_forgotten_is_loaded_anew() {
    let source = Source::default();
    let cache = GrantCache::new(source.clone());
    let endpoint = chat(cache.clone());
    let (mut one, mut other) = (open(&endpoint, 1).await, open(&endpoint, 2).await);
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let read = uploads::read;
    assert_eq!((sees(&mut one).await, sees(&mut other).await), ([200, 200], [403, 403]));
    source.grant(2, &[chat::can_use_chat], &[]);
    source.overwrite(5, Overwrites::new().allow_everyone(read));
    assert_eq!(sees(&mut other).await, [403, 403], "until somebody says so");
    cache.forget_all();
    assert_eq!(sees(&mut other).await, [200, 200]);
    source.overwrite(5, Overwrites::new().deny_everyone(read));
    assert_eq!((sees(&mut one).await, sees(&mut other).await), ([200, 200], [200, 200]));
    cache.forget_object(&ObjectKey::new("channel", 5_u64));
    assert_eq!((sees(&mut one).await, sees(&mut other).await), ([200, 403], [200, 403]));
    source.overwrite(5, Overwrites::new().allow_role("seer", read));
    source.grant(1, &[chat::can_use_chat], &["seer"]);
    cache.forget_object(&ObjectKey::new("channel", 5_u64));
    assert_eq!(sees(&mut one).await, [200, 200], "still of the old grants");
    source.grant(1, &[chat::can_use_chat], &[]);
    assert_eq!(one.call("promoted").await.status(), 200);
    assert_eq!(sees(&mut one).await, [200, 403], "a change of grants takes what was computed from them along");
}

#[tokio::test]
async fn at_the_door_a_codename_has_no_opinion_unless_it_is_asked_strictly() {
    let source = Source::default();
    let endpoint = chat(source.clone());
    assert!(connect(&endpoint).user(member(1, &[])).open().await.is_ok());
    assert!(source.asked().is_empty());
    let office = portcullis::websocket(Office).grants(source.clone());
    source.grant(1, &[chat::can_moderate_chat, uploads::write], &[]);
    source.grant(2, &[chat::can_moderate_chat], &[]);
    let mut client = connect(&office).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("sit").await.status(), 200);
    let mut client = connect(&office).user(member(2, &[])).open().await.unwrap();
    assert_eq!(client.closed().await, 4403, "`#[connect]` asks more");
    assert!(connect(&office).user(member(3, &[])).open().await.is_err());
    assert!(connect(&office).open().await.is_err());
    assert_eq!(source.asked(), ["user 1", "user 2", "user 3"], "what the door has loaded is kept");
}

#[tokio::test]
async fn what_is_known_is_checked_without_an_allocation() {
    let source = Source::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let mut client = open(&chat(source), 1).await;
    assert_eq!(client.call("allocations").await.data(), 0);
}

#[test]
fn an_endpoint_without_grants_cannot_be_mounted() {
    let bare = portcullis::websocket(Chat { channels: Channels });
    let panic = catch_unwind(AssertUnwindSafe(|| drop(connect(&bare)))).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("`Chat` asks for codenames, but its endpoint has no grants"), "{text}");
}

#[test]
fn the_catalogue_lists_what_was_declared() {
    let all = portcullis::codenames().unwrap();
    let names: Vec<_> = all.iter().map(|codename| (codename.name(), codename.description())).collect();
    assert_eq!(
        names,
        [
            ("chat.can_moderate_chat", "May delete what others wrote"),
            ("chat.can_use_chat", "Can use chat"),
            ("uploads.read", "Sees uploads"),
            ("uploads.write", "Uploads"),
        ]
    );
    let stored = GrantSet::from_names(["uploads.read", "uploads.gone", ""]);
    assert!(stored.contains(uploads::read) && !stored.contains(uploads::write));
    assert_eq!(stored.iter().map(|codename| codename.name()).collect::<Vec<_>>(), ["uploads.read"]);
}
