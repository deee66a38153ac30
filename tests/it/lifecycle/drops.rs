//! What panics, publishes or waits when it is dropped or asked for its name: everybody else is answered, and leaves.

use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{AllowAny, Group, Limits, Publisher};
use tokio::time::timeout;

use super::{House, Lobby, Room, Said, Search, desk, member, open};

/// An event whose end says that it has begun, waits, and panics; or has nothing to say.
#[derive(Default)]
pub(super) struct Ending(Option<(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>)>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some((begun, go_on)) = self.0.take() {
            begun.send(()).unwrap();
            // Whoever waits for nothing more lets it go on too.
            let _ = go_on.lock().unwrap().recv();
            panic!("while it is dropped");
        }
    }
}

/// What an action leaves behind.
pub(super) struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "while it is dropped");
    }
}

static HASH_FAILS: AtomicBool = AtomicBool::new(false);

/// A key that panics while it is told to.
#[derive(Clone, PartialEq, Eq, Group)]
#[group(consumer = House, permission = AllowAny, events(Said))]
pub(super) struct Odd;

impl Hash for Odd {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!HASH_FAILS.load(Ordering::SeqCst), "a key that fails");
        state.write_u8(1);
    }
}

static TELLS: Mutex<Option<Publisher<House>>> = Mutex::new(None);

/// A key that publishes to its own group when it is dropped, once.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = House, permission = AllowAny, events(Said))]
pub(super) struct Telling;

impl Drop for Telling {
    fn drop(&mut self) {
        let publisher = TELLS.lock().unwrap().take();
        if let Some(publisher) = publisher {
            publisher.publish(&Telling, Said(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refresh_completes_while_an_event_panics_on_drop() {
    let (truth, desk) = desk();
    let (publisher, sessions) = (desk.publisher(), desk.connections());
    truth.grants.send_replace(false);
    let mut client = open(&desk, "7").await;
    let (begun, has_begun) = mpsc::channel();
    let (release, go_on) = mpsc::channel();
    publisher.publish(&Lobby, Ending(Some((begun, Mutex::new(go_on)))));
    publisher.publish(&Lobby, Said(1));
    truth.grants.send_replace(true);
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
    // It is being dropped, and what comes after it waits.
    truth.outside.store(true, Ordering::SeqCst);
    let mut refresh = pin!(sessions.refresh_user("7"));
    assert!(futures_util::poll!(refresh.as_mut()).is_pending());
    release.send(()).unwrap();
    refresh.await;
    publisher.publish(&Lobby, Said(2));
    client.send(r#"{"action":"ping"}"#);
    assert_eq!(client.reply().await.value()["action"], "ping", "who may not be in the group any more");
}

#[tokio::test(start_paused = true)]
async fn action_that_panics_at_its_timeout_is_answered_with_500() {
    for action in ["end_badly", "end_badly_beside"] {
        let (_, desk) = desk();
        let mut client =
            open(&desk.limits(Limits { action_timeout: Duration::from_millis(100), ..Limits::default() }), "7").await;
        assert_eq!(client.call(action).await.status(), 500, "{action}");
        assert_eq!(client.call("ping").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn group_whose_key_panics_is_left_with_all_other_groups() {
    let (truth, desk) = desk();
    let publisher = desk.publisher();
    let mut client = open(&desk, "7").await;
    assert_eq!(client.call("enter_odd").await.status(), 200);
    let found = || truth.find(|| publisher.publish(&Room(1), Search));
    assert_eq!(found(), 1);
    HASH_FAILS.store(true, Ordering::SeqCst);
    drop(client);
    timeout(Duration::from_mins(1), truth.gone.notified()).await.expect("its connection ends");
    HASH_FAILS.store(false, Ordering::SeqCst);
    assert_eq!(found(), 0, "nobody is connected");
}

#[test]
fn group_key_that_publishes_on_drop_does_not_deadlock() {
    let (tell, told) = mpsc::channel();
    // A thread of its own: who waits for a lock that it holds waits for ever.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (truth, desk) = desk();
            let mut client = open(&desk, "7").await;
            assert_eq!(client.call("enter_telling").await.status(), 200);
            *TELLS.lock().unwrap() = Some(desk.publisher());
            drop(client);
            truth.gone.notified().await;
            assert!(TELLS.lock().unwrap().is_none(), "it has published");
        });
        tell.send(()).unwrap();
    });
    told.recv_timeout(Duration::from_secs(5)).expect("it does not hang");
}

#[tokio::test(start_paused = true)]
async fn refusal_of_a_user_whose_id_panics_is_sent() {
    let (_, desk) = desk();
    let mut client = connect(&desk).user(member("7 unspeakable")).open().await.unwrap();
    assert_eq!(client.call("nope").await.status(), 405);
}
