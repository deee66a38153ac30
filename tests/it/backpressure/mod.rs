//! Backpressure over a real socket: a slow reader is closed, misses the oldest events or gets the newest of each key,
//! and delays no other connection.

mod coalescing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::{
    AllowAny, ConnectContext, Connections, Context, Endpoint, Event, EventCounters, Group, GroupPermission, Limits,
    OverflowPolicy, Publisher, Result, Scope, consumer,
};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::common::Padding;
use crate::common::clients::{self, Socket, connect_member};
use crate::common::limits::without_timeouts;

/// What tests and server share.
#[derive(Default)]
struct State {
    /// Set to revoke the membership of all readers.
    is_closed: AtomicBool,
    started: Notify,
    resume: Notify,
    dropped: Notify,
}

struct Broadcast(Arc<State>);

/// So large that the buffers of a socket hold only a few.
#[derive(Event)]
struct Page(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Broadcast, permission = Open, publish = members, events(Page))]
struct Readers;

struct Open;

impl GroupPermission<Readers, Broadcast> for Open {
    async fn may_join(&self, news: &Broadcast, _: &Scope<()>, _: &Readers) -> Result<bool> {
        Ok(!news.0.is_closed.load(Ordering::SeqCst))
    }
}

#[derive(Event)]
struct Said;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Broadcast, permission = AllowAny, publish = members, events(Said))]
struct Everyone;

/// Notifies when a waiting action has ended or was dropped.
struct DropNotifier<'d>(&'d State);

impl Drop for DropNotifier<'_> {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

#[consumer]
impl Broadcast {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Everyone).await?;
        cx.join(Readers).await
    }

    #[event(permission = AllowAny)]
    fn page(&self, event: &Page) -> (u32, Padding) {
        (event.0, Padding(256 * 1024))
    }

    #[event(permission = AllowAny)]
    fn said(&self, _: &Said) -> &'static str {
        "so"
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    /// Waits for `resume`, and publishes to everyone.
    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>) -> Result<()> {
        let _waiting = DropNotifier(&self.0);
        self.0.started.notify_one();
        self.0.resume.notified().await;
        cx.publish(Everyone, Said).await
    }
}

const PAGES: u32 = 120;

struct Server {
    state: Arc<State>,
    publisher: Publisher<Broadcast>,
    connections: Connections<Broadcast>,
    address: String,
}

async fn serve(queue: usize, policy: OverflowPolicy) -> Server {
    let limits = Limits { max_queued_events: queue, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let state = Arc::<State>::default();
    let endpoint: Endpoint<Broadcast> =
        portcullis::websocket(Broadcast(state.clone())).limits(limits).overflow_policy(policy);
    let (publisher, connections) = (endpoint.publisher(), endpoint.connections());
    let address = clients::serve(endpoint).await;
    Server { state, publisher, connections, address }
}

/// Publishes all pages while `reading` gets every one of them, in order.
async fn publish_all_to(publisher: &Publisher<Broadcast>, reading: &mut Socket) {
    for page in 0..PAGES {
        publisher.publish(&Readers, Page(page));
        let frame = timeout(Duration::from_mins(1), reading.next()).await.expect("a reader is not delayed");
        let text = frame.unwrap().unwrap().into_text().unwrap();
        assert!(text.starts_with(&format!(r#"{{"event":"page","data":[{page},"#)), "{}", &text[..60]);
    }
}

/// Reads up to the last page or the close; returns the page numbers and the close code.
async fn remaining_pages(socket: &mut Socket) -> (Vec<u32>, Option<u16>) {
    let mut pages = Vec::new();
    loop {
        match timeout(Duration::from_mins(1), socket.next()).await.expect("a frame arrives") {
            Some(Ok(Message::Text(text))) => {
                let number = text.split(['[', ',']).nth(2).unwrap().parse().unwrap();
                pages.push(number);
                if number == PAGES - 1 {
                    return (pages, None);
                }
            }
            Some(Ok(Message::Close(close))) => return (pages, close.map(|close| close.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return (pages, None),
        }
    }
}

#[tokio::test]
async fn slow_reader_under_close_policy_is_closed_and_delays_no_reader() {
    let Server { publisher, address, .. } = serve(16, OverflowPolicy::Close).await;
    let (mut reading, mut stalled) = (connect_member(&address).await, connect_member(&address).await);
    publish_all_to(&publisher, &mut reading).await;
    let (pages, _) = remaining_pages(&mut stalled).await;
    assert!(u32::try_from(pages.len()).unwrap() < PAGES, "some pages are missing");
    assert!(pages.windows(2).all(|two| two[0] + 1 == two[1]), "no page is skipped before the close: {pages:?}");
    publish_all_to(&publisher, &mut reading).await;
}

#[tokio::test]
async fn slow_reader_under_drop_oldest_misses_the_oldest_and_stays_connected() {
    let Server { publisher, address, .. } = serve(16, OverflowPolicy::DropOldest).await;
    let (mut reading, mut stalled) = (connect_member(&address).await, connect_member(&address).await);
    publish_all_to(&publisher, &mut reading).await;
    let (pages, is_closed) = remaining_pages(&mut stalled).await;
    assert_eq!((pages.last(), is_closed), (Some(&(PAGES - 1)), None), "the newest page arrives");
    assert!(u32::try_from(pages.len()).unwrap() < PAGES && pages.is_sorted(), "some are missing: {}", pages.len());
    stalled.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    assert!(stalled.next().await.unwrap().unwrap().into_text().unwrap().contains(r#""status":200"#));
}

#[tokio::test]
async fn queued_event_is_not_sent_after_revocation() {
    let server = serve(1000, OverflowPolicy::Close).await;
    let mut stalled = connect_member(&server.address).await;
    for page in 0..PAGES {
        server.publisher.publish(&Readers, Page(page));
    }
    // By now the connection has begun to send and waits because the socket is full.
    stalled.next().await.unwrap().unwrap();
    server.state.is_closed.store(true, Ordering::SeqCst);
    assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
    stalled.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    let mut pages = 0;
    loop {
        let frame = timeout(Duration::from_secs(20), stalled.next()).await.expect("the reply arrives");
        if frame.unwrap().unwrap().into_text().unwrap().contains(r#""status":200"#) {
            break;
        }
        pages += 1;
    }
    assert!(pages < PAGES / 2, "only what the buffers of a socket hold: {pages}");
}

#[tokio::test]
async fn slow_reader_with_a_waiting_action_is_closed() {
    let server = serve(16, OverflowPolicy::Close).await;
    let (mut reading, mut stalled) = (connect_member(&server.address).await, connect_member(&server.address).await);
    stalled.send(Message::text(r#"{"action":"say"}"#)).await.unwrap();
    server.state.started.notified().await;
    publish_all_to(&server.publisher, &mut reading).await;
    let closed = async {
        while server.publisher.counters().too_slow == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), closed).await.expect("the connection ends while its action waits");
    server.state.resume.notify_one();
    let dropped = timeout(Duration::from_secs(10), server.state.dropped.notified()).await;
    assert!(dropped.is_ok(), "the action runs on");
}

#[tokio::test]
async fn publication_of_a_slow_reader_reaches_the_other_members() {
    let server = serve(1000, OverflowPolicy::Close).await;
    let (mut reading, mut stalled) = (connect_member(&server.address).await, connect_member(&server.address).await);
    stalled.send(Message::text(r#"{"action":"say"}"#)).await.unwrap();
    server.state.started.notified().await;
    publish_all_to(&server.publisher, &mut reading).await;
    server.state.resume.notify_one();
    let frame = timeout(Duration::from_secs(10), reading.next()).await.expect("no connection is delayed");
    assert!(frame.unwrap().unwrap().into_text().unwrap().starts_with(r#"{"event":"said""#));
}

#[tokio::test]
async fn action_that_publishes_to_a_slow_reader_is_not_delayed() {
    for policy in [OverflowPolicy::Close, OverflowPolicy::DropOldest, OverflowPolicy::KeepNewest] {
        let server = serve(1000, policy).await;
        let (mut reading, stalled) = (connect_member(&server.address).await, connect_member(&server.address).await);
        publish_all_to(&server.publisher, &mut reading).await;
        reading.send(Message::text(r#"{"action":"say"}"#)).await.unwrap();
        server.state.started.notified().await;
        server.state.resume.notify_one();
        for begins in [r#"{"errors":[],"data":null,"action":"say","#, r#"{"event":"said""#] {
            let frame = timeout(Duration::from_secs(10), reading.next()).await.expect("no connection is delayed");
            let text = frame.unwrap().unwrap().into_text().unwrap();
            assert!(text.starts_with(begins), "{policy:?}: {text}");
        }
        let EventCounters { dropped, too_slow, .. } = server.publisher.counters();
        assert_eq!((dropped, too_slow), (0, 0), "the slow reader is still connected: {policy:?}");
        drop(stalled);
    }
}
