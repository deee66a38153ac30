//! A change while a slow reader has an unsent reply, over a real socket: the reply is authorized again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, Stream, StreamExt, stream};
use portcullis::{
    AllowAny, ConnectContext, Connections, Context, Event, Group, Limits, Permission, PermissionContext, Publisher,
    Result, Streamed, consumer,
};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::common::Padding;
use crate::common::clients::{self, Socket, connect_member};
use crate::common::limits::without_timeouts;

/// What tests and server share.
#[derive(Default)]
struct Shop {
    is_closed: AtomicBool,
    is_evaluated: AtomicBool,
    started: Notify,
    resume: Notify,
    finished: Notify,
}

impl Shop {
    async fn sell(&self) -> &'static str {
        self.started.notify_one();
        self.resume.notified().await;
        self.finished.notify_one();
        "sold"
    }
}

struct News(Arc<Shop>);

/// So large that the buffers of a socket hold only a few.
#[derive(Event)]
struct Page;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = News, permission = AllowAny, publish = members, events(Page))]
struct Readers;

#[derive(Event)]
struct Sold(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = News, permission = AllowAny, publish = members, events(Sold), local)]
struct Buyers(&'static str);

struct IsOpen;

impl Permission<News> for IsOpen {
    async fn has_permission(&self, news: &News, _: &PermissionContext<'_, ()>) -> Result<bool> {
        Ok(!news.0.is_closed.load(Ordering::SeqCst))
    }
}

/// As [`IsOpen`]. The first evaluation waits until it may resume.
struct IsOpenSlowly;

impl Permission<News> for IsOpenSlowly {
    async fn has_permission(&self, news: &News, _: &PermissionContext<'_, ()>) -> Result<bool> {
        if !news.0.is_evaluated.swap(true, Ordering::SeqCst) {
            news.0.sell().await;
        }
        Ok(!news.0.is_closed.load(Ordering::SeqCst))
    }
}

#[consumer]
impl News {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Buyers("first")).await?;
        cx.join(Readers).await
    }

    #[event(permission = AllowAny)]
    fn sold(&self, event: &Sold) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn page(&self, _: &Page) -> Padding {
        Padding(256 * 1024)
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn hold(&self) {
        self.0.started.notify_one();
        std::future::pending::<()>().await;
    }

    #[action(permission = IsOpen)]
    async fn buy(&self) -> &'static str {
        self.0.sell().await
    }

    #[action(permission = IsOpen, detached)]
    async fn buy_detached(&self) -> &'static str {
        self.0.sell().await
    }

    #[action(permission = AllowAny, detached)]
    async fn hold_detached(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = IsOpenSlowly)]
    async fn order(&self, number: u32) -> u32 {
        number
    }

    #[action(permission = IsOpenSlowly, detached)]
    async fn order_detached(&self) {}

    #[action(permission = IsOpenSlowly, rate = "1/h")]
    async fn order_once(&self) {}

    #[action(permission = IsOpenSlowly, rate = "1/h", detached)]
    async fn order_once_detached(&self) {}

    #[action(permission = IsOpenSlowly, rate = "1/h", blocking)]
    fn order_once_blocking(&self) {}

    /// Joins one group and subscribes to another.
    #[action(permission = IsOpen)]
    async fn enter(&self, cx: &Context<'_, ()>) -> Result<()> {
        enter(&self.0, cx).await
    }

    #[action(permission = IsOpen, detached)]
    async fn enter_detached(&self, cx: &Context<'_, ()>) -> Result<()> {
        enter(&self.0, cx).await
    }

    #[action(permission = IsOpen)]
    async fn all(&self) -> Streamed<impl Stream<Item = &'static str> + use<>> {
        let shop = self.0.clone();
        Streamed(stream::once(async move { shop.sell().await }))
    }

    #[action(permission = IsOpen, detached)]
    async fn all_detached(&self) -> Streamed<impl Stream<Item = &'static str> + use<>> {
        let shop = self.0.clone();
        Streamed(stream::once(async move { shop.sell().await }))
    }
}

async fn enter(shop: &Shop, cx: &Context<'_, ()>) -> Result<()> {
    cx.join(Buyers("joined")).await?;
    cx.subscribe(Buyers("subscribed")).await?;
    // The connection is a member of this one already.
    cx.join(Buyers("first")).await?;
    cx.publish(Buyers("first"), Sold(0)).await?;
    shop.sell().await;
    Ok(())
}

struct Server {
    shop: Arc<Shop>,
    publisher: Publisher<News>,
    connections: Connections<News>,
    address: String,
}

async fn serve() -> Server {
    let limits =
        Limits { max_detached_actions: 1, max_queued_events: 1000, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let shop = Arc::<Shop>::default();
    let endpoint = portcullis::websocket(News(shop.clone())).limits(limits);
    let (publisher, connections) = (endpoint.publisher(), endpoint.connections());
    let address = clients::serve(endpoint).await;
    Server { shop, publisher, connections, address }
}

async fn next(socket: &mut Socket) -> String {
    let frame = timeout(Duration::from_mins(1), socket.next()).await.expect("a frame arrives");
    frame.unwrap().unwrap().into_text().unwrap().to_string()
}

/// Publishes until the buffers of a slow reader are full. Returns a connection that reads.
async fn fill(server: &Server) -> Socket {
    let mut reading = connect_member(&server.address).await;
    for _ in 0..64 {
        server.publisher.publish(&Readers, Page);
        assert!(next(&mut reading).await.contains("page"));
    }
    reading
}

/// Skips the pages and returns the next frame.
async fn reply(socket: &mut Socket) -> Value {
    loop {
        let text = next(socket).await;
        if !text.starts_with(r#"{"event":"page""#) {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn unsent_reply_of_a_slow_reader_is_withheld_after_revocation() {
    for action in ["buy", "all", "buy_detached", "all_detached"] {
        for takes in [true, false] {
            let server = serve().await;
            let mut stuck = connect_member(&server.address).await;
            let message = format!(r#"{{"action":"{action}","request_id":1}}"#);
            // While a queued action runs, an event that cannot be written delays nothing.
            let hold = action.ends_with("_detached").then(|| r#"{"action":"hold"}"#.to_owned());
            for message in std::iter::once(message).chain(hold) {
                stuck.send(Message::text(message)).await.unwrap();
                server.shop.started.notified().await;
            }
            fill(&server).await;
            server.shop.resume.notify_one();
            server.shop.finished.notified().await;
            server.shop.is_closed.store(takes, Ordering::SeqCst);
            assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
            let reply = reply(&mut stuck).await;
            let wanted = if takes { 403 } else { 200 };
            assert_eq!((&reply["status"], &reply["request_id"]), (&wanted.into(), &1.into()), "{action}: {reply}");
        }
    }
}

#[tokio::test]
async fn join_of_a_withheld_reply_has_no_effect() {
    for (action, takes) in [("enter", true), ("enter", false), ("enter_detached", true), ("enter_detached", false)] {
        let server = serve().await;
        let mut stuck = connect_member(&server.address).await;
        // See above.
        let hold = action.ends_with("_detached").then(|| r#"{"action":"hold"}"#.to_owned());
        for message in std::iter::once(format!(r#"{{"action":"{action}","request_id":1}}"#)).chain(hold) {
            stuck.send(Message::text(message)).await.unwrap();
            server.shop.started.notified().await;
        }
        let mut reading = fill(&server).await;
        server.shop.resume.notify_one();
        // Until the action has taken effect (a detached one when the socket is writable): its reply waits behind the pages.
        let others_hear = async |reading: &mut Socket| assert!(next(reading).await.contains("sold"));
        while timeout(Duration::from_millis(20), others_hear(&mut reading)).await.is_err() {
            assert!(next(&mut stuck).await.contains("page"));
        }
        server.shop.is_closed.store(takes, Ordering::SeqCst);
        assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
        for (number, group) in (1..).zip(["joined", "subscribed", "first"]) {
            server.publisher.publish(&Buyers(group), Sold(number));
        }
        let (mut status, mut came) = (None, Vec::new());
        while status.is_none() || came.last() != Some(&3) {
            let frame = reply(&mut stuck).await;
            match frame["data"].as_u64() {
                Some(number) => came.push(number),
                None => status = frame["status"].as_u64(),
            }
        }
        let wanted = if takes { (403, vec![0, 3]) } else { (200, vec![0, 1, 2, 3]) };
        assert_eq!((status.unwrap(), came), wanted, "{action}");
    }
}

#[tokio::test]
async fn unsent_refusal_of_an_action_that_has_not_run_does_not_say_that_it_has() {
    for (action, status) in [
        ("order", 400),
        ("order_detached", 429),
        ("order_once", 429),
        ("order_once_detached", 429),
        ("order_once_blocking", 429),
    ] {
        for takes in [true, false] {
            let server = serve().await;
            let mut stuck = connect_member(&server.address).await;
            if action.starts_with("order_once") {
                // Uses up the rate.
                server.shop.is_evaluated.store(true, Ordering::SeqCst);
                stuck.send(Message::text(format!(r#"{{"action":"{action}"}}"#))).await.unwrap();
                assert_eq!(reply(&mut stuck).await["status"], 200);
                server.shop.is_evaluated.store(false, Ordering::SeqCst);
            }
            let refused = format!(r#"{{"action":"{action}","number":"many","request_id":1}}"#);
            // Takes the only slot.
            let hold = (action == "order_detached").then(|| r#"{"action":"hold_detached"}"#.to_owned());
            for message in hold.into_iter().chain([refused]) {
                stuck.send(Message::text(message)).await.unwrap();
            }
            server.shop.started.notified().await;
            // While a queued action runs, a detached reply waits as events do.
            if action == "order_once_detached" {
                stuck.send(Message::text(r#"{"action":"hold"}"#)).await.unwrap();
                server.shop.started.notified().await;
            }
            fill(&server).await;
            server.shop.resume.notify_one();
            server.shop.finished.notified().await;
            server.shop.is_closed.store(takes, Ordering::SeqCst);
            assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
            let reply = reply(&mut stuck).await;
            assert_eq!(reply["status"], if takes { 403 } else { status }, "{action}: {reply}");
            let code = reply["errors"][0]["code"].as_str().unwrap();
            assert_eq!(code == "permission_denied", takes, "{action}: {reply}");
        }
    }
}
