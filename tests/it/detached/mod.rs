//! Actions that run beside the queue: each is answered when it is done, and holds up nobody.

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
    AllowAny, ConnectContext, Context, DenyAll, Endpoint, Error, Group, Handler, Limits, NoReply, Permission, Result,
    Scope, Streamed, consumer,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

/// What the tests know of the house.
struct House {
    /// One that an action waits for, by its number.
    go: Vec<Semaphore>,
    begun: Semaphore,
    /// How many actions run.
    running: AtomicUsize,
    dropped: Notify,
    /// How many ran when the connection said that it is gone.
    left: std::sync::Mutex<Option<usize>>,
    gone: Notify,
}

/// An action that runs, until it is dropped.
struct Running(Arc<House>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.dropped.notify_one();
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a secret");
    }
}

impl House {
    fn new() -> Arc<House> {
        Arc::new(House {
            go: (0..64).map(|_| Semaphore::new(0)).collect(),
            begun: Semaphore::new(0),
            running: AtomicUsize::new(0),
            dropped: Notify::new(),
            left: std::sync::Mutex::default(),
            gone: Notify::new(),
        })
    }

    fn run(self: &Arc<House>) -> Running {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.begun.add_permits(1);
        Running(self.clone())
    }

    /// Runs until it is let go.
    async fn wait(self: &Arc<House>, n: usize) -> usize {
        let _running = self.run();
        self.go[n].acquire().await.unwrap().forget();
        n
    }

    /// Lets that action go on.
    fn let_go(&self, n: usize) {
        self.go[n].add_permits(1);
    }

    /// So many more have begun.
    async fn begun(&self, count: u32) {
        self.begun.acquire_many(count).await.unwrap().forget();
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

struct Said(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Hall, permission = AllowAny, events(Said))]
struct Everybody;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Hall, permission = AllowAny, events(Said))]
struct Room;

/// Never answers.
struct Undecided;

impl<H: Handler> Permission<H> for Undecided {
    async fn has_permission(&self, _: &H, _: &Context<'_, H::User>) -> Result<bool> {
        std::future::pending().await
    }
}

struct Hall(Arc<House>);

type Values = Streamed<Pin<Box<dyn Stream<Item = usize> + Send>>>;

#[consumer]
impl Hall {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Everybody).await
    }

    #[disconnect]
    async fn gone(&self, _: &Scope<()>) {
        *self.0.left.lock().unwrap() = Some(self.0.running());
        self.0.gone.notify_one();
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    /// In the queue.
    #[action(permission = AllowAny)]
    async fn wait(&self, n: usize) -> usize {
        self.0.wait(n).await
    }

    #[action(permission = AllowAny, detached)]
    async fn aside(&self, n: usize) -> usize {
        self.0.wait(n).await
    }

    #[action(permission = AllowAny, detached)]
    async fn at_once(&self, n: usize) -> usize {
        n
    }

    #[action(permission = AllowAny, detached)]
    fn at_once_and_sync(&self, n: usize) -> usize {
        n
    }

    #[action(permission = AllowAny, detached)]
    async fn quiet(&self, n: usize) -> NoReply {
        self.0.wait(n).await;
        NoReply
    }

    #[action(permission = AllowAny, detached, blocking)]
    fn there(&self, n: usize) -> usize {
        Handle::current().block_on(self.0.wait(n))
    }

    #[action(permission = AllowAny, detached, blocking)]
    fn panics_there(&self) -> usize {
        panic!("a secret")
    }

    #[action(permission = AllowAny, detached)]
    async fn panics(&self) -> usize {
        let _running = self.0.run();
        tokio::task::yield_now().await;
        panic!("a secret")
    }

    /// Waits for ever, and ends badly even so.
    #[action(permission = AllowAny, detached)]
    async fn ends_badly(&self) {
        let _bomb = Bomb;
        self.0.wait(63).await;
    }

    #[action(permission = AllowAny)]
    async fn ends_badly_in_the_queue(&self) {
        let _bomb = Bomb;
        self.0.wait(63).await;
    }

    #[action(permission = AllowAny, detached)]
    async fn fails(&self, n: usize) -> Result<usize> {
        self.0.wait(n).await;
        Err(Error::conflict("It is taken."))
    }

    #[action(permission = DenyAll, detached)]
    async fn denied(&self) {}

    #[action(permission = Undecided, detached)]
    async fn undecided(&self) {}

    /// Says it to everybody, and moves from there to the room.
    #[action(permission = AllowAny, detached)]
    async fn moves(&self, cx: &Context<'_, ()>, n: usize) -> Result<usize> {
        cx.publish(Everybody, Said(1))?;
        cx.join(Room).await?;
        cx.publish(Room, Said(2))?;
        cx.leave(Everybody)?;
        Ok(self.0.wait(n).await)
    }

    #[action(permission = AllowAny, detached)]
    async fn subscribes(&self, cx: &Context<'_, ()>, n: usize) -> Result<()> {
        cx.subscribe(Room).await?;
        self.0.wait(n).await;
        Ok(())
    }

    #[action(permission = AllowAny, detached)]
    async fn moves_and_fails(&self, cx: &Context<'_, ()>, n: usize) -> Result<()> {
        cx.publish(Everybody, Said(1))?;
        cx.join(Room).await?;
        cx.leave(Everybody)?;
        self.0.wait(n).await;
        Err(Error::conflict("It is taken."))
    }

    /// So many values and then the end, each once it is let go; what it says comes behind.
    #[action(permission = AllowAny, detached)]
    async fn stream(&self, cx: &Context<'_, ()>, n: usize, count: usize) -> Result<Values> {
        cx.publish(Everybody, Said(3))?;
        let house = self.0.clone();
        let values = stream::iter(1..=count + 1).filter_map(move |value| {
            let house = house.clone();
            async move {
                house.wait(n).await;
                (value <= count).then_some(value)
            }
        });
        Ok(Streamed(values.boxed()))
    }

    /// One that is always ready.
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

fn hall_with(limits: Limits) -> (Arc<House>, Endpoint<Hall>) {
    let house = House::new();
    (house.clone(), portcullis::websocket(Hall(house)).limits(limits))
}

fn hall() -> (Arc<House>, Endpoint<Hall>) {
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

/// The request ids of the next replies.
async fn ids(client: &mut Client, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let reply = client.reply().await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        ids.push(reply.value()["request_id"].as_u64().unwrap());
    }
    ids
}
