//! Changes of rights that reach a connection whose client is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{Context, Permission, PermissionContext, Result, consumer};
use tokio::sync::Semaphore;

use super::{message, office, open};
use crate::common::{Member, member};

#[tokio::test(start_paused = true)]
async fn revoked_right_keeps_a_read_message_from_beginning() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    client.send(message("guarded_note", "denied"));
    client.send(message("note", "third"));
    state.started(1).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
    state.is_denied.store(true, Ordering::SeqCst);
    assert!(office.connections().refresh_user("1").revalidated().await.is_acknowledged());
    state.resume(1);
    state.disconnected.notified().await;
    assert_eq!(state.log()[..3], ["first begins", "first ends", "third"]);
}

#[tokio::test(start_paused = true)]
async fn disconnected_user_begins_nothing_more() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    client.send(message("note", "second"));
    state.started(1).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(office.connections().disconnect_user("1").await.is_acknowledged());
    state.resume(1);
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["first begins", "first ends", "disconnected: peer gone, left [Room(1)]"]);
}

#[tokio::test(start_paused = true)]
async fn former_member_whose_group_is_revoked_may_not_publish() {
    let (state, office) = office();
    let (mut other, mut client) = (open(&office, 2).await, open(&office, 1).await);
    client.send(message("say", "hello"));
    state.started(1).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
    state.is_outside.store(true, Ordering::SeqCst);
    assert!(office.connections().refresh_user("1").revalidated().await.is_acknowledged());
    state.resume(1);
    state.disconnected.notified().await;
    assert!(state.log().contains(&"not a member".to_owned()), "{:?}", state.log());
    other.expect_silence().await;
}

/// A clock that orders starts and changes.
struct Clock {
    now: AtomicU64,
    /// The latest start of an action per user.
    latest_start: Vec<AtomicU64>,
    /// The number of starts.
    starts: AtomicU64,
    /// A permit per connection that has ended, with its last action.
    ended: Semaphore,
}

const USERS: u32 = 64;

struct Warehouse(Arc<Clock>);

/// Yields, so that a change can come between the check and the start.
struct Yields;

impl Permission<Warehouse> for Yields {
    async fn has_permission(&self, _: &Warehouse, _: &PermissionContext<'_, Member>) -> Result<bool> {
        tokio::task::yield_now().await;
        Ok(true)
    }
}

#[consumer(user = Member)]
impl Warehouse {
    #[action(permission = Yields)]
    async fn store(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.starts.fetch_add(1, Ordering::SeqCst);
        let start = self.0.now.fetch_add(1, Ordering::SeqCst);
        let user = cx.require_user()?.id as usize;
        self.0.latest_start[user].fetch_max(start, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(())
    }

    #[disconnect]
    async fn ended(&self) {
        self.0.ended.add_permits(1);
    }
}

/// Lingering connections against `disconnect_user`, on several threads: after the call has returned, nothing starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_begins_on_a_lingering_connection_after_disconnect_user_has_returned() {
    let latest_start = (0..USERS).map(|_| AtomicU64::new(0)).collect();
    let clock =
        Arc::new(Clock { now: AtomicU64::new(1), latest_start, starts: AtomicU64::new(0), ended: Semaphore::new(0) });
    let archive = portcullis::websocket(Warehouse(clock.clone()));
    let mut tasks = Vec::new();
    for user in 0..USERS {
        let (archive, clock) = (archive.clone(), clock.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = connect(&archive).user(member(user, &[])).open().await.unwrap();
            for _ in 0..24 {
                client.send(r#"{"action":"store"}"#);
            }
            drop(client);
            for _ in 0..user {
                tokio::task::yield_now().await;
            }
            assert!(archive.connections().disconnect_user(&user.to_string()).await.is_acknowledged());
            (user, clock.now.fetch_add(1, Ordering::SeqCst))
        }));
    }
    let mut returned = Vec::new();
    for task in tasks {
        returned.push(task.await.unwrap());
    }
    clock.ended.acquire_many(USERS).await.unwrap().forget();
    for (user, returned_at) in returned {
        let latest = clock.latest_start[user as usize].load(Ordering::SeqCst);
        assert!(latest < returned_at, "user {user}: started at {latest}, returned at {returned_at}");
    }
    assert!(clock.starts.load(Ordering::SeqCst) > 0, "some messages have begun");
}
