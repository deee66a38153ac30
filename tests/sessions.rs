//! What people may do changes while they are connected: nothing is delivered on what was true before.

mod common;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Member, member};
use futures_util::FutureExt;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Connect, Context, Endpoint, Error, GrantSet, Grants, Group, GroupPermission, Handler, Limits, Permission,
    Result, Scope, Sessions, Streamed, User, UserGrants, consumer,
};
use serde_json::json;

portcullis::permissions! {
    uploads { read = "Sees uploads" }
}

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

impl Grants<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        // What is read first may not be true any more when it is given.
        let seer = Truth::has(&self.0.seers, user);
        self.0.wait().await;
        Ok(if seer { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }
}

struct Chat {
    truth: Arc<Truth>,
}

struct Banned;

impl Permission<Chat> for Banned {
    async fn has_permission(&self, chat: &Chat, cx: &Context<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| Truth::has(&chat.truth.banned, member)))
    }

    async fn can_connect(&self, chat: &Chat, cx: &Connect<'_, Member>) -> Result<Option<bool>> {
        let banned = cx.user().is_some_and(|member| Truth::has(&chat.truth.banned, member));
        chat.truth.wait().await;
        Ok(Some(banned))
    }
}

struct Inside;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = Inside, events(Said))]
struct Room;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, events(Uploaded, Said))]
struct Lobby;

impl GroupPermission<Room, Chat> for Inside {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Member>, _: &Room) -> Result<bool> {
        let inside = scope.user().is_some_and(|member| Truth::has(&chat.truth.inside, member));
        chat.truth.wait().await;
        Ok(inside)
    }
}

struct Said(u32);
struct Uploaded(u32);

#[consumer(user = Member, permission = !Banned)]
impl Chat {
    #[connect]
    async fn connect(&self, cx: &Connect<'_, Member>) -> Result<()> {
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
    #[action]
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
    chat: Endpoint<Chat>,
    sessions: Sessions<Chat>,
}

fn world() -> World {
    let truth = Arc::<Truth>::default();
    let chat = portcullis::websocket(Chat { truth: truth.clone() }).grants(Source(truth.clone()));
    let sessions = chat.sessions();
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

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_takes_its_events_along() {
    let world = world();
    world.truth.seers.lock().unwrap().extend([1, 2]);
    let (mut one, mut other) = (world.open(1).await, world.open(2).await);
    let publisher = world.chat.publisher();
    publisher.publish(&Lobby, Uploaded(1));
    for client in [&mut one, &mut other] {
        assert_eq!(next(client).await, json!({"event": "uploaded", "data": 1}));
    }
    world.truth.seers.lock().unwrap().remove(&1);
    // These wait in the connection when the change comes, and are asked about again.
    publisher.publish(&Lobby, Uploaded(2));
    publisher.publish(&Lobby, Said(3));
    world.sessions.refresh_user("1").await;
    publisher.publish(&Lobby, Uploaded(4));
    assert_eq!(next(&mut one).await, json!({"event": "said", "data": 3}));
    one.expect_silence().await;
    for data in [2, 3, 4] {
        assert_eq!(next(&mut other).await["data"], data, "the other sees all, in order");
    }
    world.truth.seers.lock().unwrap().insert(1);
    world.sessions.refresh_user("1").await;
    publisher.publish(&Lobby, Uploaded(5));
    assert_eq!(next(&mut one).await["data"], 5, "and what is granted again is seen again");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_be_in_a_group_any_more_is_taken_out() {
    let world = world();
    world.truth.inside.lock().unwrap().extend([1, 2]);
    let (mut one, mut other) = (world.open(1).await, world.open(2).await);
    let publisher = world.chat.publisher();
    publisher.publish(&Room, Said(1));
    assert_eq!((next(&mut one).await["data"].clone(), next(&mut other).await["data"].clone()), (json!(1), json!(1)));
    world.truth.inside.lock().unwrap().remove(&1);
    publisher.publish(&Room, Said(2));
    world.sessions.refresh_all().await;
    publisher.publish(&Room, Said(3));
    publisher.publish(&Lobby, Said(4));
    assert_eq!(next(&mut one).await["data"], 4, "of what waited, too, nothing comes by a membership that has ended");
    for data in [2, 3, 4] {
        assert_eq!(next(&mut other).await["data"], data);
    }
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn who_may_not_connect_any_more_is_closed() {
    let world = world();
    let (mut one, mut twin, mut other) = (world.open(1).await, world.open(1).await, world.open(2).await);
    world.truth.banned.lock().unwrap().insert(1);
    world.chat.publisher().publish(&Lobby, Said(1));
    world.sessions.refresh_user("1").await;
    world.chat.publisher().publish(&Lobby, Said(2));
    for client in [&mut one, &mut twin] {
        assert_eq!(client.closed().await, 4403, "with nothing in front of it");
    }
    assert_eq!((next(&mut other).await["data"].clone(), next(&mut other).await["data"].clone()), (json!(1), json!(2)));
    world.sessions.disconnect_user("2");
    assert_eq!(other.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn who_connects_while_something_changes_is_asked_again() {
    let world = world();
    world.truth.seers.lock().unwrap().insert(1);
    world.truth.inside.lock().unwrap().insert(1);
    world.truth.patience.store(10, Ordering::SeqCst);
    let connecting = connect(&world.chat).user(member(1, &[])).open();
    let mut connecting = Box::pin(connecting);
    // The door has begun to ask, and has heard that all is well.
    assert!(futures_util::poll!(&mut connecting).is_pending());
    world.truth.banned.lock().unwrap().insert(1);
    world.sessions.refresh_user("1").await;
    let mut client = connecting.await.unwrap();
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_was_allowed_before_the_change_is_asked_about_again() {
    for still in [true, false] {
        let world = world();
        let mut client = world.open(1).await;
        world.truth.inside.lock().unwrap().insert(1);
        client.send(r#"{"action":"enter"}"#);
        client.expect_silence().await;
        if !still {
            world.truth.inside.lock().unwrap().remove(&1);
        }
        world.sessions.refresh_user("1").await;
        world.truth.go_on.notify_one();
        assert_eq!(client.reply().await.status(), 200);
        world.chat.publisher().publish(&Room, Said(1));
        world.chat.publisher().publish(&Lobby, Said(2));
        if still {
            assert_eq!(next(&mut client).await["data"], 1);
        }
        assert_eq!(next(&mut client).await["data"], 2);
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_allowed_before_the_change_does_not_begin() {
    let world = world();
    let mut client = world.open(1).await;
    client.send(r#"{"action":"stream"}"#);
    client.expect_silence().await;
    world.sessions.refresh_user("1").await;
    world.truth.go_on.notify_one();
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.value()["last"].as_bool()), (403, Some(true)), "{}", reply.text());
    assert_eq!(client.call("ping").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_change_for_all_does_not_ask_about_all_at_once() {
    let world = world();
    let mut clients = Vec::new();
    for id in 0..64 {
        clients.push(world.open(id).await);
    }
    world.truth.patience.store(3, Ordering::SeqCst);
    world.truth.asked.store(0, Ordering::SeqCst);
    let mut refreshing = Box::pin(world.sessions.refresh_all());
    assert!(futures_util::poll!(&mut refreshing).is_pending());
    for _ in 0..2 {
        tokio::task::yield_now().await;
    }
    assert!(world.truth.asked.load(Ordering::SeqCst) <= 32, "{:?}", world.truth.asked);
    refreshing.await;
    assert!(world.truth.asked.load(Ordering::SeqCst) >= 64, "but about every one in the end");
}

/// A number that is as good as random, and the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Whatever comes in between: once a change is through, nothing comes that it forbids.
#[tokio::test]
async fn in_a_hundred_thousand_random_steps_nothing_passes_on_old_grants() {
    let world = world();
    world.truth.seers.lock().unwrap().insert(1);
    world.truth.inside.lock().unwrap().insert(1);
    let mut client = world.open(1).await;
    let publisher = world.chat.publisher();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut sees, mut inside) = (true, true);
    let mut changing: Option<Pin<Box<dyn Future<Output = ()>>>> = None;
    // What is sure by now to be forbidden, and how often each kind came, was forbidden, and was changed.
    let (mut no_uploads, mut no_room, mut counts) = (false, false, [0_u32; 5]);
    for step in 0..100_000 {
        match dice.roll(12) {
            0..=2 => publisher.publish(&Lobby, Uploaded(step)),
            3 | 4 => publisher.publish(&Room, Said(step)),
            5 => tokio::task::yield_now().await,
            6 if changing.is_none() => {
                let sessions = world.sessions.clone();
                (no_uploads, no_room) = (false, false);
                if dice.roll(2) == 0 {
                    sees = !sees;
                    let mut all = world.truth.seers.lock().unwrap();
                    let _ = if sees { all.insert(1) } else { all.remove(&1) };
                } else if inside {
                    // Nobody lets it in again but by connecting anew, below.
                    inside = false;
                    world.truth.inside.lock().unwrap().remove(&1);
                }
                world.truth.patience.store(usize::try_from(dice.roll(4)).unwrap(), Ordering::SeqCst);
                counts[4] += 1;
                changing = Some(Box::pin(async move { sessions.refresh_user("1").await }));
            }
            7..=9 => {
                if let Some(change) = &mut changing
                    && futures_util::poll!(change).is_ready()
                {
                    changing = None;
                    // What is on the wire by now was sent before.
                    while client.reply().now_or_never().is_some() {}
                    (no_uploads, no_room) = (!sees, !inside);
                }
            }
            10 if !inside && changing.is_none() && dice.roll(20) == 0 => {
                inside = true;
                world.truth.inside.lock().unwrap().insert(1);
                client = world.open(1).await;
                no_room = false;
            }
            _ => {
                if let Some(frame) = client.reply().now_or_never() {
                    let upload = frame.value()["event"] == "uploaded";
                    assert!(!(upload && no_uploads), "step {step}: {}", frame.text());
                    assert!(upload || !no_room, "step {step}: {}", frame.text());
                    counts[usize::from(upload)] += 1;
                }
            }
        }
        counts[2] += u32::from(no_uploads);
        counts[3] += u32::from(no_room);
    }
    assert!(counts.iter().all(|count| *count > 200), "each happened often enough: {counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_fails_or_hangs_is_a_no() {
    struct Moody(Arc<AtomicUsize>);

    impl<G: Sync, C: portcullis::Consumer<User: User>> GroupPermission<G, C> for Fickle
    where
        C: HasMood,
    {
        async fn may_join(&self, consumer: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
            match consumer.mood() {
                0 => Ok(true),
                1 => Err(Error::internal("the store's secret")),
                2 => panic!("the store's secret"),
                _ => std::future::pending().await,
            }
        }
    }

    trait HasMood: Handler {
        fn mood(&self) -> usize;
    }

    impl HasMood for Moody {
        fn mood(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    struct Fickle;

    #[derive(Clone, PartialEq, Eq, Hash, Group)]
    #[group(consumer = Moody, permission = Fickle, events(Said))]
    struct Club;

    #[consumer]
    impl Moody {
        #[connect]
        async fn connect(&self, cx: &Connect<'_, ()>) -> Result<()> {
            cx.join(Club).await
        }

        #[event(permission = AllowAny)]
        fn said(&self, event: &Said) -> u32 {
            event.0
        }

        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }

    for mood in [1, 2, 3] {
        let state = Arc::new(AtomicUsize::new(0));
        let limits = Limits { action: Duration::from_secs(1), ..Limits::default() };
        let chat = portcullis::websocket(Moody(state.clone())).limits(limits);
        let mut client = connect(&chat).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        chat.publisher().publish(&Club, Said(1));
        assert_eq!(next(&mut client).await["data"], 1);
        state.store(mood, Ordering::SeqCst);
        chat.sessions().refresh_all().await;
        chat.publisher().publish(&Club, Said(2));
        client.expect_silence().await;
        assert_eq!(client.call("ping").await.status(), 200, "nothing else is harmed");
    }
}
