//! `#[action(rate = "..", burst = ..)]`: how often one user may call an action.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::extract::ConnectInfo;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt, stream};
use http::request::Parts;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Connections, Context, Endpoint, FromContext, Load, Object, ObjectPermission, PermissionContext, Result,
    Streamed, consumer, handler,
};
use serde_json::json;
use tokio::sync::Notify;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::common::clients::serve;
use crate::common::{HasRole, Member, member};

#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    loads: AtomicUsize,
    /// While set, the extractor refreshes all connections once, so that the message is evaluated again.
    should_refresh: AtomicBool,
    connections: std::sync::OnceLock<Connections<Tollgate>>,
    /// While set, the extractor waits once.
    should_wait: AtomicBool,
    started: Notify,
    resume: Notify,
}

struct Tollgate {
    counts: Arc<Counts>,
    lane: Lane,
}

/// Mounted twice.
struct Lane;

struct Vehicle;

impl Load<Tollgate> for Vehicle {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(gate: &Tollgate, _: &Context<'_, Member>, key: &u32) -> Result<Option<Vehicle>> {
        gate.counts.loads.fetch_add(1, Ordering::SeqCst);
        Ok((*key != 0).then_some(Vehicle))
    }
}

struct Driver;

impl ObjectPermission<Vehicle, Tollgate> for Driver {
    async fn has_object_permission(
        &self,
        _: &Tollgate,
        _: &PermissionContext<'_, Member>,
        _: &Vehicle,
    ) -> Result<bool> {
        Ok(true)
    }
}

/// Refreshes all connections once.
struct Refresher;

impl FromContext<Tollgate> for Refresher {
    async fn from_context(gate: &Tollgate, _: &Context<'_, Member>) -> Result<Refresher> {
        if gate.counts.should_refresh.swap(false, Ordering::SeqCst) {
            let connections = gate.counts.connections.get().unwrap();
            assert!(connections.refresh_all().revalidated().await.is_acknowledged());
        }
        if gate.counts.should_wait.swap(false, Ordering::SeqCst) {
            gate.counts.started.notify_one();
            gate.counts.resume.notified().await;
        }
        Ok(Refresher)
    }
}

#[consumer(user = Member)]
impl Tollgate {
    #[action(permission = AllowAny, rate = "3/h")]
    async fn pass(&self) {
        self.counts.calls.fetch_add(1, Ordering::SeqCst);
    }

    #[action(permission = AllowAny)]
    async fn wave(&self) {}

    #[action(permission = HasRole("driver"), rate = "1/h", burst = 2)]
    async fn drive(&self) {}

    #[action(permission = "HasRole(\"driver\") & Driver(vehicle)", rate = "1/h", burst = 2)]
    async fn steer(&self, vehicle: Object<Vehicle>) {
        let _ = vehicle;
    }

    #[action(permission = AllowAny, rate = "1/h", burst = 2)]
    async fn tow(&self, weight: u32, #[extract] _refresher: Refresher) -> u32 {
        weight
    }

    #[action(permission = AllowAny, rate = "1/h", burst = 2, detached)]
    async fn tow_detached(&self, weight: u32, #[extract] _refresher: Refresher) -> u32 {
        weight
    }

    #[action(permission = AllowAny, rate = "1/h", burst = 2, blocking)]
    fn tow_blocking(&self, weight: u32, #[extract] _refresher: Refresher) -> u32 {
        weight
    }

    #[action(permission = "HasRole(\"driver\") & Driver(vehicle)", rate = "1/h", burst = 2)]
    async fn drag(&self, vehicle: Object<Vehicle>, #[extract] _refresher: Refresher) {
        let _ = vehicle;
    }

    /// The credentials are the id of the user.
    #[authenticate]
    async fn log_in(&self, id: u32) -> Result<Option<Member>> {
        Ok(Some(member(id, &[])))
    }

    #[action(permission = AllowAny, rate = "1/h", burst = 2, blocking)]
    fn weigh(&self) {}

    #[action(permission = AllowAny, rate = "1/h", burst = 2, detached)]
    async fn film(&self) {}

    #[action(permission = AllowAny, rate = "1/h", burst = 2)]
    async fn watch(&self) -> Streamed<impl stream::Stream<Item = u8> + use<>> {
        Streamed(stream::iter([1]))
    }

    #[route("left/", permission = AllowAny)]
    fn left(&self) -> &Lane {
        &self.lane
    }

    #[route("right/", permission = AllowAny)]
    fn right(&self) -> &Lane {
        &self.lane
    }
}

#[handler(user = Member, permission = AllowAny)]
impl Lane {
    #[action(rate = "2/min")]
    async fn close(&self) {}
}

/// Authenticates by the query: `7` is the member with this id.
async fn authenticate(parts: &Parts) -> Result<Option<Member>> {
    Ok(parts.uri.query().and_then(|query| query.parse().ok()).map(|id| member(id, &[])))
}

fn endpoint() -> (Endpoint<Tollgate>, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let endpoint = portcullis::websocket(Tollgate { counts: counts.clone(), lane: Lane }).authenticate(authenticate);
    assert!(counts.connections.set(endpoint.connections()).is_ok());
    (endpoint, counts)
}

async fn open(endpoint: &Endpoint<Tollgate>, id: u32, roles: &[&'static str]) -> Client {
    connect(endpoint).user(member(id, roles)).open().await.unwrap()
}

/// Opens an anonymous connection, from an address if there is one.
async fn open_anonymous(endpoint: &Endpoint<Tollgate>, address: Option<&str>) -> Client {
    let builder = connect(endpoint);
    let builder = match address {
        Some(address) => builder.extension(ConnectInfo::<SocketAddr>(SocketAddr::new(address.parse().unwrap(), 4000))),
        None => builder,
    };
    builder.open().await.unwrap()
}

/// Calls an action that often. Returns how many calls were admitted; all others must be refused with 429.
async fn count_admitted(client: &mut Client, action: &str, calls: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..calls {
        let reply = client.call(action).await;
        if reply.status() == 429 {
            assert_eq!(reply.code(), "too_many_requests");
        } else {
            assert!(reply.status() < 300, "{}", reply.text());
            admitted += 1;
        }
    }
    admitted
}

#[tokio::test]
async fn action_over_its_rate_is_refused_with_retry_after() {
    let (endpoint, counts) = endpoint();
    let mut client = open(&endpoint, 7, &[]).await;
    assert_eq!(count_admitted(&mut client, "pass", 3).await, 3, "without `burst`, as many as the rate has");
    let reply = client.call("pass").request_id(4).await;
    assert_eq!((reply.status(), reply.code()), (429, "too_many_requests"));
    let retry_after = reply.value()["errors"][0]["retry_after"].as_u64().unwrap();
    assert!((1100..=1200).contains(&retry_after), "{}", reply.text());
    assert_eq!(reply.value()["request_id"], 4);
    assert_eq!(counts.calls.load(Ordering::SeqCst), 3);
    assert_eq!(count_admitted(&mut client, "wave", 100).await, 100, "an action without a rate");
}

#[tokio::test]
async fn action_rate_is_counted_per_user_and_endpoint() {
    let (endpoint, _) = endpoint();
    let mut clients = [open(&endpoint, 7, &[]).await, open(&endpoint.clone(), 7, &[]).await];
    assert_eq!(count_admitted(&mut clients[0], "pass", 2).await, 2);
    assert_eq!(count_admitted(&mut clients[1], "pass", 5).await, 1, "another connection of the user");
    assert_eq!(count_admitted(&mut open(&endpoint, 8, &[]).await, "pass", 5).await, 3, "another user");
    let (other, _) = self::endpoint();
    assert_eq!(count_admitted(&mut open(&other, 7, &[]).await, "pass", 5).await, 3, "another endpoint");
    for (route, count) in [("left/", 1), ("right/", 1), ("left/", 0)] {
        let mut calls = 0;
        for _ in 0..=count {
            calls += usize::from(clients[0].call("close").route(route).await.status() < 300);
        }
        assert_eq!(calls, if route == "left/" && count == 1 { 2 } else { 0 }, "{route}: one action, mounted twice");
    }
}

#[tokio::test]
async fn anonymous_clients_are_counted_by_address_or_connection() {
    let (endpoint, _) = endpoint();
    for (address, count) in [
        (Some("192.0.2.1"), 3),
        (Some("192.0.2.1"), 0),
        (Some("192.0.2.2"), 3),
        (Some("2001:db8::1"), 3),
        (Some("2001:db8::2"), 0),
        (None, 3),
        (None, 3),
    ] {
        let mut client = open_anonymous(&endpoint, address).await;
        assert_eq!(count_admitted(&mut client, "pass", 5).await, count, "{address:?}");
    }
    assert_eq!(count_admitted(&mut open(&endpoint, 7, &[]).await, "pass", 5).await, 3, "a user");
}

#[tokio::test]
async fn denied_client_uses_up_no_rate_and_learns_nothing_of_it() {
    let (endpoint, _) = endpoint();
    let (mut denied, mut driver) = (open(&endpoint, 7, &[]).await, open(&endpoint, 7, &["driver"]).await);
    for _ in 0..10 {
        assert_eq!(denied.call("drive").await.status(), 403);
    }
    assert_eq!(count_admitted(&mut driver, "drive", 5).await, 2);
    assert_eq!(denied.call("drive").await.status(), 403, "even while the rate is exceeded");
    assert_eq!(denied.call("steer").with("vehicle", 1).await.status(), 403);
}

#[tokio::test]
async fn action_over_its_rate_loads_nothing() {
    let (endpoint, counts) = endpoint();
    let mut client = open(&endpoint, 7, &["driver"]).await;
    let mut statuses = Vec::new();
    for vehicle in [json!(1), json!(0), json!(1), json!("malformed")] {
        statuses.push(client.call("steer").with("vehicle", vehicle).await.status());
    }
    assert_eq!(statuses, [200, 403, 429, 429], "arguments and objects are read after the rate");
    assert_eq!(counts.loads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn message_that_is_evaluated_again_is_counted_once() {
    for (action, key) in
        [("tow", "weight"), ("tow_detached", "weight"), ("tow_blocking", "weight"), ("drag", "vehicle")]
    {
        let (endpoint, counts) = endpoint();
        let mut client = open(&endpoint, 7, &["driver"]).await;
        counts.should_refresh.store(true, Ordering::SeqCst);
        let mut statuses = Vec::new();
        for number in 1..4 {
            statuses.push(client.call(action).with(key, number).await.status());
        }
        assert!(!counts.should_refresh.load(Ordering::SeqCst), "{action}");
        assert_eq!(statuses, [200, 200, 429], "{action}");
    }
}

#[tokio::test]
async fn message_of_an_anonymous_client_that_becomes_a_user_meanwhile_is_counted_once() {
    let (endpoint, counts) = endpoint();
    let mut client = open_anonymous(&endpoint, None).await;
    counts.should_wait.store(true, Ordering::SeqCst);
    client.send(r#"{"action":"tow","weight":1,"request_id":1}"#);
    counts.started.notified().await;
    assert_eq!(client.call("authenticate").with("id", 7).await.status(), 204);
    counts.resume.notify_one();
    assert_eq!(client.reply().await.status(), 200);
    let mut statuses = Vec::new();
    for weight in 0..3 {
        statuses.push(client.call("tow").with("weight", weight).await.status());
    }
    assert_eq!(statuses, [200, 200, 429], "the first message was counted for the connection");
}

#[tokio::test]
async fn rate_applies_to_blocking_detached_and_streaming_actions() {
    let (endpoint, _) = endpoint();
    let mut client = open(&endpoint, 7, &[]).await;
    for action in ["weigh", "film"] {
        assert_eq!(count_admitted(&mut client, action, 5).await, 2, "{action}");
    }
    for is_admitted in [true, true, false] {
        let (values, last) = client.call("watch").stream::<u8>().collect().await;
        assert_eq!((values.len(), last.status() == 429), (usize::from(is_admitted), !is_admitted), "{}", last.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_connections_of_a_user_get_exactly_the_burst() {
    let (endpoint, counts) = endpoint();
    let address = serve(endpoint).await;
    let clients = (0..64).map(|_| async {
        let (mut socket, _) = connect_async(format!("ws://{address}/ws?7")).await.unwrap();
        let mut admitted = 0;
        for _ in 0..4 {
            socket.send(Message::text(r#"{"action":"pass"}"#)).await.unwrap();
            let reply = socket.next().await.unwrap().unwrap().into_text().unwrap();
            let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
            admitted += usize::from(reply["status"] == 200);
        }
        admitted
    });
    assert_eq!(join_all(clients).await.into_iter().sum::<usize>(), 3);
    assert_eq!(counts.calls.load(Ordering::SeqCst), 3);
}
