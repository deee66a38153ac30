//! Values that panic, publish or block when they are dropped: other connections are answered and end in order.

use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{AllowAny, Event, Group, Limits, Publisher};
use tokio::time::timeout;

use super::{House, Lobby, Room, Said, Search, house, member, open};

/// An event that on drop notifies, waits and panics; the default does nothing.
#[derive(Default, Event)]
#[event(local)]
pub(super) struct BlocksOnDrop(Option<(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>)>);

impl Drop for BlocksOnDrop {
    fn drop(&mut self) {
        if let Some((started, resume)) = self.0.take() {
            started.send(()).unwrap();
            // A dropped sender releases it too.
            let _ = resume.lock().unwrap().recv();
            panic!("while it is dropped");
        }
    }
}

/// Panics when an action is dropped.
pub(super) struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "while it is dropped");
    }
}

static HASH_FAILS: AtomicBool = AtomicBool::new(false);

/// A group key whose hash panics while `HASH_FAILS` is set.
#[derive(Clone, PartialEq, Eq, Group)]
#[group(consumer = House, permission = AllowAny, publish = members, events(Said), local)]
pub(super) struct PanickingKey;

impl Hash for PanickingKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!HASH_FAILS.load(Ordering::SeqCst), "a key that fails");
        state.write_u8(1);
    }
}

static PUBLISHER: Mutex<Option<Publisher<House>>> = Mutex::new(None);

/// A group key that publishes to its own group when it is dropped, once.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = AllowAny, publish = members, events(Said), local)]
pub(super) struct PublishesOnDrop;

impl Drop for PublishesOnDrop {
    fn drop(&mut self) {
        let publisher = PUBLISHER.lock().unwrap().take();
        if let Some(publisher) = publisher {
            publisher.publish(&PublishesOnDrop, Said(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refresh_completes_while_an_event_panics_on_drop() {
    let (state, house) = house();
    let (publisher, connections) = (house.publisher(), house.connections());
    state.grants_open.send_replace(false);
    let mut client = open(&house, "7").await;
    let (started, has_begun) = mpsc::channel();
    let (release, resume) = mpsc::channel();
    publisher.publish(&Lobby, BlocksOnDrop(Some((started, Mutex::new(resume)))));
    publisher.publish(&Lobby, Said(1));
    state.grants_open.send_replace(true);
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
    // The event is being dropped, and the next one waits behind it.
    state.is_outside.store(true, Ordering::SeqCst);
    let mut refresh = pin!(connections.refresh_user("7").revalidated());
    assert!(futures_util::poll!(refresh.as_mut()).is_pending());
    release.send(()).unwrap();
    assert!(refresh.await.is_acknowledged());
    publisher.publish(&Lobby, Said(2));
    client.send(r#"{"action":"ping"}"#);
    assert_eq!(client.reply().await.value()["action"], "ping", "the membership has ended");
}

#[tokio::test(start_paused = true)]
async fn action_that_panics_at_its_timeout_is_answered_with_500() {
    for action in ["end_badly", "end_badly_detached"] {
        let (_, house) = house();
        let mut client =
            open(&house.limits(Limits { action_timeout: Duration::from_millis(100), ..Limits::default() }), "7").await;
        assert_eq!(client.call(action).await.status(), 500, "{action}");
        assert_eq!(client.call("ping").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn group_whose_key_panics_is_left_with_all_other_groups() {
    let (state, house) = house();
    let publisher = house.publisher();
    let mut client = open(&house, "7").await;
    assert_eq!(client.call("enter_odd").await.status(), 200);
    let found = || state.find(|| publisher.publish(&Room(1), Search));
    assert_eq!(found(), 1);
    HASH_FAILS.store(true, Ordering::SeqCst);
    drop(client);
    timeout(Duration::from_mins(1), state.disconnected.notified()).await.expect("its connection ends");
    HASH_FAILS.store(false, Ordering::SeqCst);
    assert_eq!(found(), 0, "no connection is left");
}

#[test]
fn group_key_that_publishes_on_drop_does_not_deadlock() {
    let (sender, receiver) = mpsc::channel();
    // On its own thread: a deadlock would block it forever.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (state, house) = house();
            let mut client = open(&house, "7").await;
            assert_eq!(client.call("enter_telling").await.status(), 200);
            *PUBLISHER.lock().unwrap() = Some(house.publisher());
            drop(client);
            state.disconnected.notified().await;
            assert!(PUBLISHER.lock().unwrap().is_none(), "it has published");
        });
        sender.send(()).unwrap();
    });
    receiver.recv_timeout(Duration::from_secs(5)).expect("it does not hang");
}

#[tokio::test(start_paused = true)]
async fn refusal_of_a_user_whose_id_panics_is_sent() {
    let (_, house) = house();
    let mut client = connect(&house).user(member("7 unspeakable")).open().await.unwrap();
    assert_eq!(client.call("nope").await.status(), 405);
}
