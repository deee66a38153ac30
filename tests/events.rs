//! Groups and events: who may join, what leaves a socket, who sees it, and in which order with replies.

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Member, member};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Connect, Context, Endpoint, Error, EventPermission, GrantKey, GrantSet, Grants, Group, GroupPermission,
    Limits, ObjectKey, Overwrites, Publisher, Result, Scope, Streamed, UserGrants, consumer, handler,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

portcullis::permissions! {
    uploads { read = "Sees uploads" }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct ChannelId(u32);

impl GrantKey for ChannelId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

/// Whoever has a role of this name may join room 1; everybody may join the others.
struct RoomMember;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = "RoomMember", events(Said, Uploaded, Secret, Odd))]
struct Room(u32);

impl GroupPermission<Room, Chat> for RoomMember {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Member>, room: &Room) -> Result<bool> {
        match room.0 {
            13 => Err(Error::internal("the store's secret")),
            14 => panic!("the store's secret"),
            15 => std::future::pending().await,
            1 => Ok(scope.user().is_some_and(|member| member.roles.contains(&"member")) && chat.open),
            _ => Ok(true),
        }
    }
}

/// Everybody who is connected.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, events(Said))]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Other, permission = AllowAny, events(Said))]
struct Elsewhere;

struct Said(&'static str);

struct Uploaded {
    channel: ChannelId,
    file: u32,
}

struct Secret(&'static str);

struct Odd(&'static str);

/// Members who have not been muted.
struct Unmuted;

impl EventPermission<Said, Chat> for Unmuted {
    fn may_see(&self, _: &Chat, scope: &Scope<Member>, said: &Said) -> bool {
        assert!(said.0 != "panic" || scope.user().is_none_or(|member| member.id != 2), "a permission's secret");
        scope.user().is_none_or(|member| !member.roles.contains(&"muted"))
    }
}

struct Chat {
    open: bool,
    rooms: Rooms,
    wait: Notify,
}

struct Rooms;

#[consumer(user = Member)]
impl Chat {
    #[connect]
    async fn connect(&self, cx: &Connect<'_, Member>) -> Result<()> {
        cx.join(Lobby).await?;
        if cx.user().is_some_and(|member| member.roles.contains(&"eager")) { cx.join(Room(1)).await } else { Ok(()) }
    }

    #[event(permission = Unmuted)]
    fn said(&self, event: &Said) -> &'static str {
        event.0
    }

    #[event(permission = "uploads.read(channel)", name = "upload.created")]
    fn uploaded(&self, event: &Uploaded) -> Value {
        json!({"channel": event.channel, "file": event.file})
    }

    /// Its words only for those who may know them; nothing at all for strangers.
    #[event(permission = AllowAny)]
    fn secret(&self, event: &Secret, scope: &Scope<Member>) -> Option<String> {
        let member = scope.user()?;
        Some(if member.roles.contains(&"spy") { event.0.to_owned() } else { "...".to_owned() })
    }

    #[event(permission = AllowAny)]
    fn odd(&self, event: &Odd) -> HashMap<Vec<u8>, u32> {
        assert_ne!(event.0, "panic", "a method's secret");
        // A map whose keys are no strings is no JSON.
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
        cx.publish(Lobby, Said("never"))?;
        Err(Error::conflict("It does not fit."))
    }

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        // Published while it still belongs, but sent when it does no more.
        cx.publish(Room(room), Said("bye"))?;
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
        cx.publish(Lobby, Said("streamed"))?;
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
        cx.publish(Room(room), Said("hello"))
    }

    #[action]
    async fn whisper(&self, cx: &Context<'_, Member>, #[path] room: u32) -> Result<()> {
        cx.publish_to_others(Room(room), Said("psst"))
    }
}

struct Other;

#[consumer(user = Member)]
impl Other {
    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> &'static str {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Users with the role `seer` see uploads, but for those of channel 6.
#[derive(Clone, Default)]
struct Source {
    /// What holds up whoever asks for user 5.
    gate: Arc<Notify>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Grants<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.asked.lock().unwrap().push(format!("user {}", user.id));
        if user.id == 5 {
            self.gate.notified().await;
        }
        if user.id == 6 {
            return Err(Error::internal("the source's secret"));
        }
        let seer = user.roles.contains(&"seer");
        Ok(if seer { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.asked.lock().unwrap().push(format!("{} objects", objects.len()));
        let closed = Overwrites::new().deny_everyone(uploads::read);
        let of = |key: &ObjectKey| if *key == ChannelId(6).grant_key() { closed.clone() } else { Overwrites::new() };
        Ok(objects.iter().map(of).collect())
    }
}

fn chat(source: &Source) -> Endpoint<Chat> {
    portcullis::websocket(Chat { open: true, rooms: Rooms, wait: Notify::new() }).grants(source.clone())
}

async fn open(chat: &Endpoint<Chat>, id: u32, roles: &[&'static str]) -> Client {
    connect(chat).user(member(id, roles)).open().await.unwrap()
}

/// Joins a room, and waits until that has taken effect.
async fn join(client: &mut Client, room: u32) {
    assert_eq!(client.call("join").with("room", room).await.status(), 200);
    settled(client).await;
}

/// What follows a reply has happened once the next one is there.
async fn settled(client: &mut Client) {
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

#[tokio::test(start_paused = true)]
async fn members_get_what_is_published_and_nobody_else_does() {
    let chat = chat(&Source::default());
    let (mut one, mut two, mut three) =
        (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await, open(&chat, 3, &[]).await);
    for client in [&mut one, &mut two] {
        join(client, 2).await;
    }
    settled(&mut three).await;
    chat.publisher().publish(&Room(2), Said("hello"));
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(two.reply().await.text(), r#"{"event":"said","data":"hello"}"#);
    chat.publisher().publish(&Room(3), Said("to nobody"));
    chat.publisher().publish(&Lobby, Said("to all"));
    for client in [&mut one, &mut two, &mut three] {
        assert_eq!(event(client).await, said("to all"));
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_asks_its_permission_at_every_join() {
    let limits = Limits { action: Duration::from_secs(1), ..Limits::default() };
    let chat = chat(&Source::default()).limits(limits);
    let (mut inside, mut outside) = (open(&chat, 1, &["member"]).await, open(&chat, 2, &[]).await);
    assert_eq!(inside.call("join").with("room", 1).await.status(), 200);
    for (room, status) in [(1, 403), (13, 500), (14, 500), (15, 500)] {
        let reply = outside.call("join").with("room", room).await;
        assert_eq!(reply.status(), status, "{room}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    settled(&mut inside).await;
    for room in [1, 13, 14, 15] {
        chat.publisher().publish(&Room(room), Said("hello"));
    }
    assert_eq!(event(&mut inside).await, said("hello"));
    outside.expect_silence().await;
    assert_eq!(open(&chat, 3, &["eager"]).await.closed().await, 4403, "in `#[connect]` too");
    let mut eager = open(&chat, 4, &["eager", "member"]).await;
    settled(&mut eager).await;
    chat.publisher().publish(&Room(1), Said("hello"));
    assert_eq!(event(&mut eager).await, said("hello"));
    assert_eq!(outside.call("elsewhere").await.status(), 500, "a group of another consumer's");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_an_event_gets_nothing() {
    let source = Source::default();
    let chat = chat(&source);
    let (mut one, mut muted) = (open(&chat, 1, &["seer"]).await, open(&chat, 2, &["muted"]).await);
    let mut stranger = connect(&chat).open().await.unwrap();
    for client in [&mut one, &mut muted, &mut stranger] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Said("hello"));
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(6), file: 8 });
    publisher.publish(&Room(2), Secret("the code"));
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(event(&mut one).await, json!({"event": "upload.created", "data": {"channel": 5, "file": 7}}));
    assert_eq!(event(&mut one).await, json!({"event": "secret", "data": "..."}));
    assert_eq!(event(&mut muted).await, json!({"event": "secret", "data": "..."}));
    assert_eq!(event(&mut stranger).await, said("hello"));
    for client in [&mut one, &mut muted, &mut stranger] {
        client.expect_silence().await;
    }
    let mut asked = source.asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["1 objects", "1 objects", "user 1", "user 2"], "once a machine and object, once a user");
    let mut spy = open(&chat, 3, &["spy"]).await;
    join(&mut spy, 2).await;
    publisher.publish(&Room(2), Secret("the code"));
    assert_eq!(event(&mut spy).await, json!({"event": "secret", "data": "the code"}));
}

#[tokio::test(start_paused = true)]
async fn grants_that_take_long_hold_up_one_connection_and_keep_its_order() {
    let source = Source::default();
    let chat = chat(&source);
    let (mut quick, mut slow, mut failing) =
        (open(&chat, 1, &["seer"]).await, open(&chat, 5, &["seer"]).await, open(&chat, 6, &["seer"]).await);
    for client in [&mut quick, &mut slow, &mut failing] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
    publisher.publish(&Room(2), Said("after"));
    for client in [&mut quick, &mut failing] {
        if event(client).await["event"] == "upload.created" {
            assert_eq!(event(client).await, said("after"));
        }
    }
    slow.expect_silence().await;
    source.gate.notify_one();
    assert_eq!(event(&mut slow).await["event"], "upload.created");
    assert_eq!(event(&mut slow).await, said("after"));
}

#[tokio::test(start_paused = true)]
async fn what_an_action_causes_comes_after_its_reply_or_not_at_all() {
    let chat = chat(&Source::default());
    let (mut one, mut other) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut other] {
        join(client, 2).await;
    }
    one.send(r#"{"action":"say","route":"rooms/2/"}"#);
    assert_eq!(one.reply().await.status(), 200);
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(event(&mut other).await, said("hello"));
    assert_eq!(one.call("whisper").route("rooms/2/").await.status(), 200);
    assert_eq!(event(&mut other).await, said("psst"));
    one.expect_silence().await;
    assert_eq!(one.call("join_and_fail").with("room", 3).await.status(), 409);
    settled(&mut one).await;
    chat.publisher().publish(&Room(3), Said("in three"));
    chat.publisher().publish(&Lobby, Said("still in the lobby"));
    assert_eq!(event(&mut one).await, said("still in the lobby"));
    assert_eq!(event(&mut other).await, said("still in the lobby"));
    for (well, wanted) in [(true, Some("streamed")), (false, None)] {
        one.send(format!(r#"{{"action":"stream","well":{well}}}"#));
        for _ in 0..=usize::from(well) + 1 {
            assert!(one.reply().await.value().get("last").is_some(), "the replies come first");
        }
        match wanted {
            Some(text) => assert_eq!(event(&mut other).await, said(text)),
            None => other.expect_silence().await,
        }
        if well {
            assert_eq!(event(&mut one).await, said("streamed"));
        }
    }
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_the_reply_that_left() {
    let chat = chat(&Source::default());
    let (mut one, mut other) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut other] {
        join(client, 2).await;
    }
    assert_eq!(one.call("leave").with("room", 2).await.status(), 200);
    assert_eq!(event(&mut other).await, said("bye"));
    chat.publisher().publish(&Room(2), Said("later"));
    assert_eq!(event(&mut other).await, said("later"));
    one.expect_silence().await;
    assert_eq!(one.call("come_and_go").with("room", 2).await.status(), 200);
    settled(&mut one).await;
    chat.publisher().publish(&Room(2), Said("again"));
    one.expect_silence().await;
    drop(other);
    join(&mut one, 2).await;
    join(&mut one, 2).await;
    chat.publisher().publish(&Room(2), Said("once"));
    assert_eq!(event(&mut one).await, said("once"));
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn several_groups_and_single_users_are_addressed_once_each() {
    let chat = chat(&Source::default());
    let (mut both, mut twice) = (open(&chat, 1, &[]).await, open(&chat, 1, &[]).await);
    let mut two = open(&chat, 2, &[]).await;
    join(&mut both, 2).await;
    join(&mut both, 3).await;
    join(&mut two, 3).await;
    settled(&mut twice).await;
    let publisher: Publisher<Chat> = chat.publisher();
    publisher.publish_to_several(&[Room(2), Room(3), Room(4)], Said("hello"));
    assert_eq!(event(&mut both).await, said("hello"));
    assert_eq!(event(&mut two).await, said("hello"));
    publisher.publish_to_user("1", Said("to you"));
    publisher.publish_to_user("nobody", Said("to nobody"));
    assert_eq!(event(&mut both).await, said("to you"));
    assert_eq!(event(&mut twice).await, said("to you"));
    for client in [&mut both, &mut twice, &mut two] {
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_with_an_event_concerns_nobody_else() {
    let chat = chat(&Source::default());
    let (mut one, mut two) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut two] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Odd("cannot be serialized"));
    publisher.publish(&Room(2), Odd("panic"));
    publisher.publish(&Room(2), Said("panic"));
    publisher.publish(&Room(2), Said("after"));
    assert_eq!(event(&mut one).await, said("panic"), "it was user 2 of whom the check panicked");
    for client in [&mut one, &mut two] {
        assert_eq!(event(client).await, said("after"));
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn events_flow_while_an_action_waits() {
    let chat = chat(&Source::default());
    let mut one = open(&chat, 1, &[]).await;
    settled(&mut one).await;
    one.send(r#"{"action":"wait"}"#);
    one.expect_silence().await;
    chat.publisher().publish(&Lobby, Said("meanwhile"));
    assert_eq!(event(&mut one).await, said("meanwhile"));
    drop(one);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_in_so_many_groups_and_no_more() {
    let limits = Limits { groups: 4, ..Limits::default() };
    let chat = chat(&Source::default()).limits(limits);
    let mut one = open(&chat, 1, &[]).await;
    for (room, status) in [(2, 200), (3, 200), (4, 200), (5, 409), (2, 200)] {
        let reply = one.call("join").with("room", room).await;
        assert_eq!(reply.status(), status, "the lobby is one too: {room}");
        settled(&mut one).await;
    }
    assert_eq!(one.call("leave").with("room", 2).await.status(), 200);
    join(&mut one, 5).await;
    chat.publisher().publish(&Room(5), Said("hello"));
    assert_eq!(event(&mut one).await, said("hello"));
}

#[tokio::test(start_paused = true)]
async fn sessions_know_the_grants_that_are_given_later() {
    let source = Source::default();
    let chat = portcullis::websocket(Chat { open: true, rooms: Rooms, wait: Notify::new() });
    let sessions = chat.sessions();
    let chat = chat.grants(source.clone());
    let mut one = open(&chat, 1, &["seer"]).await;
    join(&mut one, 2).await;
    for asked in 1..3 {
        chat.publisher().publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
        assert_eq!(event(&mut one).await["event"], "upload.created");
        let objects = source.asked.lock().unwrap().iter().filter(|asked| asked.ends_with("objects")).count();
        assert_eq!(objects, asked, "what the object overwrites was asked for again");
        sessions.refresh_object(&ChannelId(5).grant_key()).await;
    }
}
