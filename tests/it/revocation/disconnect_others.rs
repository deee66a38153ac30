//! `Connections::disconnect_others`: every connection of a user ends but one, also those whose handshake is in progress.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, ConnectionId, Context, Endpoint, NoReply, Permission, PermissionContext, Result, consumer,
};
use tokio::sync::Semaphore;

use crate::common::{Member, member};

/// What tests and server share.
#[derive(Default)]
struct Desk {
    /// The connections in the order in which their `#[connect]` began, by user.
    connections: Mutex<HashMap<u32, Vec<ConnectionId>>>,
    /// Set to let `#[connect]` add a permit to `connecting` and wait for one of `resume`.
    is_slow: AtomicBool,
    connecting: Gate,
    resume: Gate,
    /// Orders starts and changes.
    clock: AtomicU64,
    /// The latest start of an action per connection.
    latest_start: Mutex<HashMap<ConnectionId, u64>>,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Gate {
        Gate(Semaphore::new(0))
    }
}

impl Gate {
    async fn pass(&self, count: u32) {
        self.0.acquire_many(count).await.unwrap().forget();
    }
}

impl Desk {
    fn ids(&self, user: u32) -> Vec<ConnectionId> {
        self.connections.lock().unwrap().get(&user).cloned().unwrap_or_default()
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

struct Bank(Arc<Desk>);

/// Yields, so that a change can come between the check and the start.
struct Yields;

impl Permission<Bank> for Yields {
    async fn has_permission(&self, _: &Bank, _: &PermissionContext<'_, Member>) -> Result<bool> {
        tokio::task::yield_now().await;
        Ok(true)
    }
}

#[consumer(user = Member)]
impl Bank {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        let Some(member) = cx.user() else { return Ok(()) };
        self.0.connections.lock().unwrap().entry(member.id).or_default().push(cx.scope().connection_id());
        if self.0.is_slow.load(Ordering::SeqCst) {
            self.0.connecting.0.add_permits(1);
            self.0.resume.pass(1).await;
        } else {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn log_out_elsewhere(&self, cx: &Context<'_, Member>) -> Result<()> {
        let id = cx.require_user()?.id.to_string();
        let connections = cx.connections::<Bank>()?;
        assert!(connections.disconnect_others(&id, cx.scope().connection_id()).await.is_acknowledged());
        Ok(())
    }

    #[action(permission = Yields)]
    async fn store(&self, cx: &Context<'_, Member>) -> NoReply {
        let start = self.0.now();
        self.0.latest_start.lock().unwrap().insert(cx.scope().connection_id(), start);
        NoReply
    }
}

fn bank() -> (Arc<Desk>, Endpoint<Bank>) {
    let desk = Arc::<Desk>::default();
    (desk.clone(), portcullis::websocket(Bank(desk)))
}

async fn open(bank: &Endpoint<Bank>, user: u32) -> Client {
    connect(bank).user(member(user, &[])).open().await.unwrap()
}

async fn open_connected(bank: &Endpoint<Bank>, user: u32) -> Client {
    let mut client = open(bank, user).await;
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

#[tokio::test]
async fn disconnect_others_closes_all_connections_of_the_user_but_one() {
    let (desk, bank) = bank();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(open_connected(&bank, 1).await);
    }
    let mut other_user = open_connected(&bank, 2).await;
    assert!(bank.connections().disconnect_others("1", desk.ids(1)[1]).await.is_acknowledged());
    assert_eq!((clients[0].closed().await, clients[2].closed().await), (4403, 4403));
    assert_eq!((clients[1].call("ping").await.status(), other_user.call("ping").await.status()), (200, 200));
    assert_eq!(open_connected(&bank, 1).await.call("ping").await.status(), 200, "the user may connect again");
}

#[tokio::test]
async fn action_that_disconnects_the_others_is_answered() {
    let (_, bank) = bank();
    let (mut other, mut own) = (open_connected(&bank, 1).await, open_connected(&bank, 1).await);
    assert_eq!(own.call("log_out_elsewhere").await.status(), 200);
    assert_eq!(other.closed().await, 4403);
    assert_eq!(own.call("ping").await.status(), 200);
}

#[tokio::test]
async fn disconnect_others_closes_all_if_the_kept_connection_belongs_to_another_user() {
    let (desk, bank) = bank();
    let (mut client, mut other_user) = (open_connected(&bank, 1).await, open_connected(&bank, 2).await);
    assert!(bank.connections().disconnect_others("1", desk.ids(2)[0]).await.is_acknowledged());
    assert_eq!(client.closed().await, 4403);
    assert_eq!(other_user.call("ping").await.status(), 200);
}

/// Opens `count` connections of user 1 whose `#[connect]` waits.
async fn open_waiting(desk: &Desk, bank: &Endpoint<Bank>, count: u32) -> Vec<Client> {
    desk.is_slow.store(true, Ordering::SeqCst);
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(open(bank, 1).await);
        desk.connecting.pass(1).await;
    }
    desk.is_slow.store(false, Ordering::SeqCst);
    clients
}

#[tokio::test]
async fn handshake_in_progress_is_closed_unless_it_is_the_kept_one() {
    let (desk, bank) = bank();
    let mut clients = open_waiting(&desk, &bank, 2).await;
    assert!(bank.connections().disconnect_others("1", desk.ids(1)[0]).await.is_acknowledged());
    desk.resume.0.add_permits(2);
    assert_eq!(clients[1].closed().await, 4403);
    assert_eq!(clients[0].call("ping").await.status(), 200);
}

#[tokio::test]
async fn handshake_in_progress_is_closed_if_an_earlier_call_has_not_kept_it() {
    let (desk, bank) = bank();
    let connections = bank.connections();
    // The earlier call is 0: `disconnect_user`; 1: `disconnect_others` that keeps the other connection.
    for earlier in [0, 1] {
        let mut clients = open_waiting(&desk, &bank, 2).await;
        let ids = desk.connections.lock().unwrap().remove(&1).unwrap();
        match earlier {
            0 => assert!(connections.disconnect_user("1").await.is_acknowledged()),
            _ => assert!(connections.disconnect_others("1", ids[1]).await.is_acknowledged()),
        }
        for _ in 0..2 {
            assert!(connections.disconnect_others("1", ids[0]).await.is_acknowledged());
        }
        desk.resume.0.add_permits(2);
        assert_eq!((clients[0].closed().await, clients[1].closed().await), (4403, 4403), "{earlier}");
    }
}

/// On several threads: connections that were opened before the call begin nothing after it, and the kept one goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_begins_on_other_connections_after_disconnect_others_has_returned() {
    const USERS: u32 = 64;
    const OTHERS: usize = 4;
    let (desk, bank) = bank();
    let mut tasks = Vec::new();
    for user in 0..USERS {
        let (desk, bank) = (desk.clone(), bank.clone());
        tasks.push(tokio::spawn(async move {
            let mut kept = open_connected(&bank, user).await;
            let keep = desk.ids(user)[0];
            let mut others = Vec::new();
            for _ in 0..OTHERS {
                let mut client = open(&bank, user).await;
                (0..24).for_each(|_| client.send(r#"{"action":"store"}"#));
                others.push(client);
            }
            for _ in 0..user {
                tokio::task::yield_now().await;
            }
            assert!(bank.connections().disconnect_others(&user.to_string(), keep).await.is_acknowledged());
            let returned_at = desk.now();
            for client in &mut others {
                assert_eq!(client.closed().await, 4403);
            }
            assert_eq!(kept.call("ping").await.status(), 200);
            (user, keep, returned_at)
        }));
    }
    let mut starts = 0;
    for task in tasks {
        let (user, keep, returned_at) = task.await.unwrap();
        let latest_start = desk.latest_start.lock().unwrap();
        for id in desk.ids(user).into_iter().filter(|id| *id != keep) {
            let latest = latest_start.get(&id).copied();
            assert!(
                latest.is_none_or(|latest| latest < returned_at),
                "user {user}: {latest:?}, returned {returned_at}"
            );
            starts += usize::from(latest.is_some());
        }
    }
    assert!(starts > 0, "no action of the others has begun before");
}
