//! A client that publishes as fast as it can closes no connection that reads, and other connections run meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::testing::connect;
use portcullis::{AllowAny, ConnectContext, Context, Endpoint, Event, Group, Limits, OverflowPolicy, Result, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::coop;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{clients, raw_socket};

static BUDGET_USED: Notify = Notify::const_new();
static PINGS: AtomicUsize = AtomicUsize::new(0);

struct Arena;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Arena, permission = AllowAny, publish = members, events(Said))]
struct Room;

#[derive(Event)]
struct Said(u32);

#[consumer]
impl Arena {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Room).await
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>, number: u32) -> Result<()> {
        cx.publish(Room, Said(number)).await
    }

    /// Publishes several events at once, independent of the outcome of the action.
    #[action(permission = AllowAny)]
    async fn burst(&self, cx: &Context<'_, ()>, from: u32, events: u32) -> Result<()> {
        let publisher = cx.unchecked_publisher::<Arena>()?;
        (from..from + events).for_each(|number| publisher.publish(&Room, Said(number)));
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {
        PINGS.fetch_add(1, Ordering::SeqCst);
    }

    /// Never ends.
    #[action(permission = AllowAny)]
    async fn hang(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.leave(Room)
    }

    /// Uses up the cooperative budget of its task, so that its reply cannot be written at once.
    #[action(permission = AllowAny)]
    async fn burn(&self) {
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        BUDGET_USED.notify_one();
    }

    /// Returns how many pings were dispatched.
    #[action(permission = AllowAny)]
    async fn pings(&self) -> usize {
        PINGS.load(Ordering::SeqCst)
    }
}

const MEMBERS: usize = 10;

fn runtime(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

/// Serves the hall on the given runtime and returns its address.
fn serve(server: &Runtime, hall: Endpoint<Arena>) -> String {
    server.block_on(clients::serve(hall))
}

/// Reads `events` events. Panics if the connection is closed before.
async fn read_events(address: String, events: u32) {
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    // A message is dispatched after `#[connect]` has joined.
    socket.send(r#"{"action":"pings"}"#.into()).await.unwrap();
    socket.next().await.unwrap().unwrap();
    READY.add_permits(1);
    for number in 0..events {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => assert!(text.contains(&format!("\"data\":{number}")), "{number}: {text}"),
            other => panic!("event {number} was expected, but there came {other:?}"),
        }
    }
}

static READY: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

#[test]
fn publisher_flood_closes_no_reading_connection() {
    for workers in [1, 2, 4] {
        for messages in [300, 2_000, 20_000] {
            let (server, clients) = (runtime(workers), runtime(2));
            let address = serve(&server, portcullis::websocket(Arena));
            clients.block_on(async {
                let members: Vec<_> =
                    (0..MEMBERS).map(|_| tokio::spawn(read_events(address.clone(), messages))).collect();
                READY.acquire_many(u32::try_from(MEMBERS).unwrap()).await.unwrap().forget();
                let (mut read, mut write) = raw_socket::connect(&address).await.into_split();
                // The publisher reads its replies and its own events, so that it is no slow reader.
                let taken = tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
                let flood: Vec<u8> = (0..messages)
                    .flat_map(|number| raw_socket::frame(&format!(r#"{{"action":"say","number":{number}}}"#)))
                    .collect();
                write.write_all(&flood).await.unwrap();
                for member in members {
                    let outcome = timeout(Duration::from_mins(2), member).await;
                    outcome.expect("the events stopped").unwrap();
                }
                taken.abort();
            });
        }
    }
}

/// On one thread no reader can run while a message is dispatched, and each message fills most of what a reader may leave
/// waiting.
#[tokio::test]
async fn publisher_flood_waits_for_readers_that_could_not_run() {
    let hall = portcullis::websocket(Arena);
    let mut reader = connect(&hall).open().await.unwrap();
    let mut publisher = connect(&hall).open().await.unwrap();
    for message in 0..20 {
        publisher.send(format!(r#"{{"action":"burst","from":{},"events":200}}"#, message * 200));
    }
    for number in 0..4_000 {
        assert_eq!(reader.reply().await.data(), number);
    }
}

#[tokio::test]
async fn send_queue_of_a_reader_that_could_not_run_takes_four_times_its_limit() {
    let limits = Limits { max_queued_events: 10, ..Limits::default() };
    let hall = portcullis::websocket(Arena).limits(limits.clone());
    let (publisher, mut reader) = (hall.publisher(), connect(&hall).open().await.unwrap());
    assert_eq!(reader.call("ping").await.status(), 200);
    (0..40).for_each(|number| publisher.publish(&Room, Said(number)));
    for number in 0..40 {
        assert_eq!(reader.reply().await.data(), number);
    }
    (0..41).for_each(|number| publisher.publish(&Room, Said(number)));
    assert_eq!(reader.closed().await, 1013);

    let hall = portcullis::websocket(Arena).limits(limits).overflow_policy(OverflowPolicy::DropOldest);
    let (publisher, mut reader) = (hall.publisher(), connect(&hall).open().await.unwrap());
    assert_eq!(reader.call("ping").await.status(), 200);
    (0..42).for_each(|number| publisher.publish(&Room, Said(number)));
    for number in 2..42 {
        assert_eq!(reader.reply().await.data(), number);
    }
}

/// On one thread, another client is answered long before all messages of a flood are dispatched, independent of which
/// connected first.
#[tokio::test]
async fn message_flood_lets_other_connections_run() {
    const MESSAGES: usize = 5_000;
    for floods_first in [true, false] {
        let address = clients::serve(portcullis::websocket(Arena)).await;
        let (one, other) = (raw_socket::connect(&address).await, raw_socket::connect(&address).await);
        let (mut flooding, mut bystander) = if floods_first { (one, other) } else { (other, one) };
        PINGS.store(0, Ordering::SeqCst);
        let flood = raw_socket::frame(r#"{"action":"ping"}"#).repeat(MESSAGES);
        // The whole flood is written before the server runs again.
        let mut written = 0;
        while written < flood.len() {
            written += flooding.try_write(&flood[written..]).expect("the buffers of a socket hold the flood");
        }
        bystander.try_write(&raw_socket::frame(r#"{"action":"pings"}"#)).unwrap();
        let mut reply = [0; 200];
        let length = bystander.read(&mut reply).await.unwrap();
        let reply = std::str::from_utf8(&reply[2..length]).unwrap();
        let pings = reply.split_once(r#""data":"#).unwrap().1.split(',').next().unwrap();
        let pings: usize = pings.parse().unwrap();
        assert!(pings <= 128, "the other client was answered after {pings} messages");
        flooding.shutdown().await.unwrap();
    }
}

/// While an action runs, the limits of what is read ahead do not count pongs.
#[tokio::test]
async fn pong_flood_during_an_action_lets_other_tasks_run() {
    const PONGS: usize = 20_000;
    let address = clients::serve(portcullis::websocket(Arena)).await;
    let mut flooding = raw_socket::connect(&address).await;
    let turns = Arc::<AtomicUsize>::default();
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    let pongs = [0x8A, 0x80, 0, 0, 0, 0].repeat(PONGS);
    let flood = [raw_socket::frame(r#"{"action":"hang"}"#), pongs, vec![0x89, 0x80, 0, 0, 0, 0]].concat();
    // The whole flood is written before the server runs again.
    let mut written = 0;
    while written < flood.len() {
        written += flooding.try_write(&flood[written..]).expect("the buffers of a socket hold the flood");
    }
    assert_eq!(raw_socket::read_frame(&mut flooding).await.unwrap(), (0x8A, Vec::new()));
    let turns = turns.load(Ordering::SeqCst);
    assert!(turns >= PONGS / 256, "another task has run {turns} times");
    other.abort();
}

#[tokio::test]
async fn messages_of_a_paced_publisher_that_is_gone_are_dispatched() {
    let hall = portcullis::websocket(Arena);
    let address = clients::serve(hall.clone()).await;
    let mut reader = connect(&hall).open().await.unwrap();
    let mut publisher = raw_socket::connect(&address).await;
    let messages = (0..5).flat_map(|message| {
        raw_socket::frame(&format!(r#"{{"action":"burst","from":{},"events":200}}"#, message * 200))
    });
    // Events of its own would delay the detection of the end.
    let leave = raw_socket::frame(r#"{"action":"leave"}"#);
    publisher.write_all(&leave.into_iter().chain(messages).collect::<Vec<u8>>()).await.unwrap();
    publisher.shutdown().await.unwrap();
    for number in 0..1_000 {
        let event = timeout(Duration::from_secs(20), reader.reply()).await.expect("the events stopped");
        assert_eq!(event.data(), number);
    }
}

/// tokio tells a task without cooperative budget that a writable socket is pending.
#[tokio::test]
async fn reader_without_budget_is_not_taken_for_a_stalled_one() {
    let hall = portcullis::websocket(Arena).limits(Limits { max_queued_events: 10, ..Limits::default() });
    let address = clients::serve(hall.clone()).await;
    let (publisher, mut reader) = (hall.publisher(), raw_socket::connect(&address).await);
    reader.write_all(&raw_socket::frame(r#"{"action":"burn"}"#)).await.unwrap();
    BUDGET_USED.notified().await;
    (0..40).for_each(|number| publisher.publish(&Room, Said(number)));
    assert_eq!(publisher.counters().too_slow, 0);
}
