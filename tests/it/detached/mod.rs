//! Detached actions: each is answered when it completes and delays no other message.

mod completion;
mod concurrency;
mod random;
mod side_effects;
mod slow_reader;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, DenyAll, Disconnect, Endpoint, Error, Event, Group, Handler, Limits, NoReply,
    Permission, PermissionContext, Result, Streamed, consumer,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

/// What tests and server share.
struct State {
    /// The permit that each action waits for, by its number.
    permits: Vec<Semaphore>,
    started: Semaphore,
    /// The number of running actions.
    running: AtomicUsize,
    dropped: Notify,
    /// The number of running actions when `#[disconnect]` ran.
    running_at_disconnect: std::sync::Mutex<Option<usize>>,
    disconnected: Notify,
}

/// Counts a running action until it is dropped.
struct RunGuard(Arc<State>);

impl Drop for RunGuard {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.dropped.notify_one();
    }
}

/// Panics when it is dropped.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a secret");
    }
}

impl State {
    fn new() -> Arc<State> {
        Arc::new(State {
            permits: (0..64).map(|_| Semaphore::new(0)).collect(),
            started: Semaphore::new(0),
            running: AtomicUsize::new(0),
            dropped: Notify::new(),
            running_at_disconnect: std::sync::Mutex::default(),
            disconnected: Notify::new(),
        })
    }

    fn run(self: &Arc<State>) -> RunGuard {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.started.add_permits(1);
        RunGuard(self.clone())
    }

    /// Waits for the permit of action `n`.
    async fn wait(self: &Arc<State>, n: usize) -> usize {
        let _running = self.run();
        self.permits[n].acquire().await.unwrap().forget();
        n
    }

    /// Lets action `n` continue.
    fn resume(&self, n: usize) {
        self.permits[n].add_permits(1);
    }

    /// Waits until `count` more actions have begun.
    async fn started(&self, count: u32) {
        self.started.acquire_many(count).await.unwrap().forget();
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

#[derive(Event)]
struct Said(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Hall, permission = AllowAny, publish = members, events(Said))]
struct Everyone;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Hall, permission = AllowAny, publish = members, events(Said))]
struct Room;

/// Never returns.
struct NeverReturns;

impl<H: Handler> Permission<H> for NeverReturns {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        std::future::pending().await
    }
}

struct Hall(Arc<State>);

type Values = Streamed<Pin<Box<dyn Stream<Item = usize> + Send>>>;

#[consumer]
impl Hall {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Everyone).await
    }

    #[disconnect]
    async fn disconnected(&self, _: &Disconnect<'_, ()>) {
        *self.0.running_at_disconnect.lock().unwrap() = Some(self.0.running());
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    /// Runs in the queue.
    #[action(permission = AllowAny)]
    async fn wait(&self, n: usize) -> usize {
        self.0.wait(n).await
    }

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn wait_detached(&self, n: usize) -> usize {
        self.0.wait(n).await
    }

    #[action(permission = AllowAny, detached)]
    async fn at_once(&self, n: usize) -> usize {
        n
    }

    #[action(permission = AllowAny, blocking, detached)]
    fn at_once_and_sync(&self, n: usize) -> usize {
        n
    }

    #[action(permission = AllowAny, detached)]
    async fn quiet(&self, n: usize) -> NoReply {
        self.0.wait(n).await;
        NoReply
    }

    #[action(permission = AllowAny, detached, blocking)]
    fn run_blocking(&self, n: usize) -> usize {
        Handle::current().block_on(self.0.wait(n))
    }

    #[action(permission = AllowAny, detached, blocking)]
    fn panic_blocking(&self) -> usize {
        panic!("a secret")
    }

    #[action(permission = AllowAny, detached)]
    async fn panics(&self) -> usize {
        let _running = self.0.run();
        tokio::task::yield_now().await;
        panic!("a secret")
    }

    /// Waits forever and panics when it is dropped.
    #[action(permission = AllowAny, detached)]
    async fn panic_on_drop(&self) {
        let _bomb = PanicsOnDrop;
        self.0.wait(63).await;
    }

    #[action(permission = AllowAny)]
    async fn panic_on_drop_queued(&self) {
        let _bomb = PanicsOnDrop;
        self.0.wait(63).await;
    }

    #[action(permission = AllowAny, detached)]
    async fn fails(&self, n: usize) -> Result<usize> {
        self.0.wait(n).await;
        Err(Error::conflict("It is taken."))
    }

    #[action(permission = DenyAll, detached)]
    async fn denied(&self) {}

    #[action(permission = NeverReturns, detached)]
    async fn undecided(&self) {}

    /// Publishes to everyone, and moves from that group to the room.
    #[action(permission = AllowAny, detached)]
    async fn moves(&self, cx: &Context<'_, ()>, n: usize) -> Result<usize> {
        cx.publish(Everyone, Said(1)).await?;
        cx.join(Room).await?;
        cx.publish(Room, Said(2)).await?;
        cx.leave(Everyone)?;
        Ok(self.0.wait(n).await)
    }

    #[action(permission = AllowAny)]
    async fn moves_in_order(&self, cx: &Context<'_, ()>, n: usize) -> Result<usize> {
        self.moves(cx, n).await
    }

    #[action(permission = AllowAny, detached)]
    async fn subscribes(&self, cx: &Context<'_, ()>, n: usize) -> Result<()> {
        cx.subscribe(Room).await?;
        self.0.wait(n).await;
        Ok(())
    }

    #[action(permission = AllowAny, detached)]
    async fn moves_and_fails(&self, cx: &Context<'_, ()>, n: usize) -> Result<()> {
        cx.publish(Everyone, Said(1)).await?;
        cx.join(Room).await?;
        cx.leave(Everyone)?;
        self.0.wait(n).await;
        Err(Error::conflict("It is taken."))
    }

    /// Sends `count` values and the end, one per permit; its publication follows the first one.
    #[action(permission = AllowAny, detached)]
    async fn stream(&self, cx: &Context<'_, ()>, n: usize, count: usize) -> Result<Values> {
        cx.publish(Everyone, Said(3)).await?;
        let state = self.0.clone();
        let values = stream::iter(1..=count + 1).filter_map(move |value| {
            let state = state.clone();
            async move {
                state.wait(n).await;
                (value <= count).then_some(value)
            }
        });
        Ok(Streamed(values.boxed()))
    }

    #[action(permission = AllowAny, in_order)]
    async fn stream_in_order(&self, cx: &Context<'_, ()>, n: usize, count: usize) -> Result<Values> {
        self.stream(cx, n, count).await
    }

    /// A stream that is always ready.
    #[action(permission = AllowAny, detached)]
    async fn endless(&self) -> Values {
        let running = self.0.run();
        Streamed(
            stream::repeat(7)
                .map(move |n| {
                    let _held = &running;
                    n
                })
                .boxed(),
        )
    }
}

fn hall_with(limits: Limits) -> (Arc<State>, Endpoint<Hall>) {
    let state = State::new();
    (state.clone(), portcullis::websocket(Hall(state)).limits(limits))
}

fn hall() -> (Arc<State>, Endpoint<Hall>) {
    hall_with(Limits::default())
}

async fn open(hall: &Endpoint<Hall>) -> Client {
    let mut client = connect(hall).open().await.unwrap();
    assert_eq!(client.call("ping").await.data(), "pong");
    client
}

fn message(action: &str, n: usize) -> String {
    format!(r#"{{"action":"{action}","n":{n},"request_id":{n}}}"#)
}

/// Returns the request ids of the next replies.
async fn reply_ids(client: &mut Client, count: usize) -> Vec<u64> {
    let mut reply_ids = Vec::new();
    for _ in 0..count {
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        reply_ids.push(reply.value()["request_id"].as_u64().unwrap());
    }
    reply_ids
}
