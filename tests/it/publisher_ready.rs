//! `Publisher::ready`: a loop that awaits it before each publication overflows no send queue of a reader, wherever it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use futures_util::FutureExt;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Endpoint, Event, EventCounters, Group, Limits, OverflowPolicy, Publisher,
    Result, consumer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;

use crate::common::{clients, raw_socket};

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Exchange, permission = AllowAny, publish = AllowAny, events(Price, Report))]
struct Ticker;

#[derive(Event)]
struct Price(u32);

/// An event that is large enough to fill the buffers of a socket.
#[derive(Event)]
struct Report;

/// Holds a permit per connection that has received all of its events.
struct Exchange(Arc<Semaphore>);

#[consumer]
impl Exchange {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Ticker).await
    }

    #[event(permission = AllowAny)]
    fn price(event: &Price) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn report(_: &Report) -> String {
        "x".repeat(100_000)
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    /// The events that were published before come before the reply.
    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.leave(Ticker)
    }

    #[action(permission = AllowAny)]
    async fn has_left(&self) {
        self.0.add_permits(1);
    }

    /// Publishes many events in one action.
    #[action(permission = AllowAny)]
    async fn replay(&self, cx: &Context<'_, ()>, events: u32) -> Result<()> {
        publish_when_ready(&cx.unchecked_publisher::<Exchange>()?, events).await;
        Ok(())
    }

    #[action(permission = AllowAny, blocking)]
    fn replay_blocking(&self, cx: &Context<'_, ()>, events: u32) -> Result<()> {
        let publisher = cx.unchecked_publisher::<Exchange>()?;
        tokio::runtime::Handle::current().block_on(publish_when_ready(&publisher, events));
        Ok(())
    }
}

fn exchange() -> Endpoint<Exchange> {
    portcullis::websocket(Exchange(Arc::new(Semaphore::new(0))))
}

async fn publish_when_ready(publisher: &Publisher<Exchange>, events: u32) {
    for number in 0..events {
        publisher.ready().await;
        publisher.publish(&Ticker, Price(number));
    }
}

async fn open_member(exchange: &Endpoint<Exchange>) -> Client {
    let mut client = connect(exchange).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

async fn assert_prices(client: &mut Client, events: u32) {
    for number in 0..events {
        assert_eq!(client.event().await.data(), number);
    }
}

/// Publishes `events` events in a task to `members` members whose send queues take 32 events. If `is_paced`, awaits `ready`
/// before each. Returns the counters when all members have received their events.
fn run_loop(workers: usize, policy: OverflowPolicy, members: u32, events: u32, is_paced: bool) -> EventCounters {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
    runtime.block_on(async {
        let has_left = Arc::new(Semaphore::new(0));
        let exchange = portcullis::websocket(Exchange(has_left.clone()))
            .limits(Limits { max_queued_events: 32, ..Limits::default() })
            .overflow_policy(policy);
        let mut clients = Vec::new();
        for _ in 0..members {
            clients.push(open_member(&exchange).await);
        }
        let publisher = exchange.publisher();
        let publishing = tokio::spawn(async move {
            if is_paced {
                publish_when_ready(&publisher, events).await;
            } else {
                (0..events).for_each(|number| publisher.publish(&Ticker, Price(number)));
            }
            publisher.counters()
        });
        let counters = publishing.await.unwrap();
        if counters.too_slow == 0 {
            for client in &mut clients {
                client.send(r#"{"action":"leave"}"#);
                client.send(r#"{"action":"has_left"}"#);
            }
            has_left.acquire_many(members).await.unwrap().forget();
        }
        exchange.publisher().counters()
    })
}

const POLICIES: [OverflowPolicy; 3] = [OverflowPolicy::Close, OverflowPolicy::DropOldest, OverflowPolicy::KeepNewest];

#[test]
fn loop_that_awaits_ready_closes_no_member_and_loses_no_event() {
    for workers in [1, 2] {
        for policy in POLICIES {
            // Many members under one policy only: a delivery takes microseconds in a debug build.
            let (members, events) = if policy == OverflowPolicy::Close { (3_000, 1_000) } else { (200, 2_000) };
            let counters = run_loop(workers, policy, members, events, true);
            assert_eq!((counters.too_slow, counters.dropped), (0, 0), "{workers} workers, {policy:?}");
            assert_eq!(counters.delivered, u64::from(members * events), "{workers} workers, {policy:?}");
        }
    }
}

/// On one worker no reader runs meanwhile.
#[test]
fn loop_that_does_not_await_ready_overflows_send_queues() {
    for policy in POLICIES {
        let counters = run_loop(1, policy, 100, 1_000, false);
        match policy {
            OverflowPolicy::DropOldest => {
                assert_eq!((counters.too_slow, counters.dropped), (0, 100 * (1_000 - 4 * 32)));
            }
            _ => assert_eq!((counters.too_slow, counters.delivered), (100, 0), "{policy:?}"),
        }
    }
}

/// The publishing connection is a member itself.
#[tokio::test]
async fn action_that_awaits_ready_publishes_more_events_than_a_send_queue_holds() {
    const EVENTS: u32 = 5_000;
    for action in ["replay", "replay_blocking"] {
        let exchange = exchange();
        let (mut reader, mut publishing) = (open_member(&exchange).await, open_member(&exchange).await);
        publishing.send(format!(r#"{{"action":"{action}","events":{EVENTS}}}"#));
        assert_prices(&mut reader, EVENTS).await;
        assert_prices(&mut publishing, EVENTS).await;
        assert_eq!(publishing.reply().await.status(), 200, "{action}");
    }
}

#[tokio::test]
async fn http_handler_that_awaits_ready_closes_no_member() {
    const EVENTS: u32 = 5_000;
    async fn replay(State(publisher): State<Publisher<Exchange>>) {
        publish_when_ready(&publisher, EVENTS).await;
    }
    let exchange = exchange();
    let mut reader = open_member(&exchange).await;
    let app = Router::new().route("/replay", post(replay)).with_state(exchange.publisher());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    stream
        .write_all(b"POST /replay HTTP/1.1\r\nHost: market\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_prices(&mut reader, EVENTS).await;
}

#[tokio::test]
async fn ready_without_a_reader_returns_at_once() {
    let exchange = exchange();
    let publisher = exchange.publisher();
    publisher.ready().now_or_never().expect("nothing was published");
    publisher.publish(&Ticker, Price(1));
    publisher.ready().now_or_never().expect("there are no members");
    let client = open_member(&exchange).await;
    drop((exchange, client));
    publisher.publish(&Ticker, Price(2));
    publisher.ready().now_or_never().expect("the endpoint and its only client are gone");
}

/// On one thread, so that the reader cannot run between the publications.
#[tokio::test(start_paused = true)]
async fn ready_waits_for_the_publications_of_its_own_handle() {
    let exchange = exchange();
    let mut reader = open_member(&exchange).await;
    let (publisher, other) = (exchange.publisher(), exchange.publisher());
    let clone = publisher.clone();
    for handle in [&publisher, &other, &clone] {
        handle.ready().await;
    }
    (0..200).for_each(|number| publisher.publish(&Ticker, Price(number)));
    for handle in [&other, &clone] {
        handle.ready().now_or_never().expect("it has published nothing");
    }
    assert!(publisher.ready().now_or_never().is_none());
    // The call above was dropped. Two that wait at the same time both return when the reader has run, and not later.
    let before = tokio::time::Instant::now();
    tokio::join!(publisher.ready(), publisher.ready());
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_prices(&mut reader, 200).await;
}

#[tokio::test]
async fn ready_does_not_wait_for_a_client_that_does_not_read() {
    let exchange = exchange().overflow_policy(OverflowPolicy::DropOldest);
    let address = clients::serve(exchange.clone()).await;
    let mut stalled = raw_socket::connect(&address).await;
    stalled.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)).await.unwrap();
    assert_eq!(stalled.read_u8().await.unwrap(), 0x81);
    let publisher = exchange.publisher();
    // Nothing is dropped for a reader that could not run.
    while publisher.counters().dropped == 0 {
        publisher.ready().await;
        publisher.publish(&Ticker, Report);
    }
    for _ in 0..50 {
        publisher.publish(&Ticker, Report);
        publisher.ready().now_or_never().expect("the reader is stalled");
    }
}

#[tokio::test]
async fn loop_whose_readers_keep_up_lets_other_tasks_run() {
    for members in [0, 500] {
        let exchange = exchange();
        let mut clients = Vec::new();
        for _ in 0..members {
            clients.push(open_member(&exchange).await);
        }
        let has_run = Arc::new(AtomicBool::new(false));
        let publisher = exchange.publisher();
        publisher.ready().await;
        tokio::task::yield_now().await;
        let other = has_run.clone();
        tokio::spawn(async move { other.store(true, Ordering::SeqCst) });
        // So few that no send queue is half full.
        let events = if members == 0 { 1_000 } else { 100 };
        for _ in 0..events {
            publisher.ready().await;
            publisher.publish(&Ticker, Price(1));
        }
        assert!(has_run.load(Ordering::SeqCst), "{members} members");
    }
}
