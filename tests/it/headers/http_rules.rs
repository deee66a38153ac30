//! Rules of `http_permission!`: what they declare is kept, and anything else that they read is a fault.

use futures_util::{SinkExt, StreamExt};
use portcullis::testing::connect;
use portcullis::{
    AllowAny, ConnectContext, Event, Group, Handler, HttpRequest, Permission, PermissionContext, Result, consumer,
    http_permission,
};
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::common::clients::serve;
use crate::common::log_capture::LogCapture;
use crate::common::{Member, member};

/// Reads a header that its permission does not declare, and ignores the error.
async fn careless(request: &HttpRequest<'_>, _: Option<&Member>) -> bool {
    let is_forbidden = request.header("X-Forbidden").ok().flatten().is_some();
    request.header("X-Zone").is_ok_and(|zone| zone == Some("north")) && !is_forbidden
}

async fn in_zone(request: &HttpRequest<'_>, user: Option<&Member>) -> Result<bool> {
    let zones = request.header_values("x-zone")?.filter_map(|zone| zone.to_str().ok());
    Ok(user.is_some() && zones.collect::<Vec<_>>() == ["north", "east"])
}

http_permission! {
    struct Careless(Member) = careless, headers("x-zone");
    struct InZone(Member) = in_zone, headers("X-Zone");
}

struct Barrier;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Barrier, permission = InZone, publish = AllowAny, events(Opened))]
struct Crowd;

#[derive(Event)]
struct Opened(u32);

#[consumer(user = Member, connect = InZone)]
impl Barrier {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Crowd).await
    }

    #[action(permission = InZone)]
    async fn pass(&self) {}

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[event(permission = AllowAny)]
    fn opened(event: &Opened) -> &u32 {
        &event.0
    }
}

struct Yard;

#[consumer(user = Member)]
impl Yard {
    #[action(permission = "!Careless")]
    async fn pass(&self) {}
}

struct Annex;

#[consumer(user = Member)]
impl Annex {
    #[action(permission = Wrapping)]
    async fn wrapped(&self) {}
}

/// Evaluates a rule of HTTP requests itself, and does not declare its headers.
struct Wrapping;

impl<H: Handler<User = Member>> Permission<H> for Wrapping {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(!InZone.has_permission(handler, cx).await?)
    }
}

/// The log of an in-process connection is written on the test's own thread.
fn assert_logged(log: &LogCapture, texts: &[&str]) {
    let lines = log.take();
    assert!(lines.iter().any(|line| texts.iter().all(|text| line.contains(text))), "{texts:?}: {lines:?}");
}

#[tokio::test]
async fn http_rule_that_reads_an_undeclared_header_is_a_fault_whatever_it_returns() {
    let log = LogCapture::start();
    let yard = portcullis::websocket(Yard).keep_headers(["x-forbidden"]);
    let mut client = connect(&yard).user(member(1, &[])).header("x-zone", "north").open().await.unwrap();
    assert_eq!(client.call("pass").await.status(), 500);
    assert_logged(&log, &["leaf=\"Careless\"", "header `X-Forbidden` was read but is not declared"]);
}

#[tokio::test]
async fn http_rule_behind_another_permission_is_a_fault_unless_the_headers_are_kept() {
    let log = LogCapture::start();
    let annex = portcullis::websocket(Annex);
    let mut client = connect(&annex).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("wrapped").await.status(), 500);
    assert_logged(&log, &["leaf=\"Wrapping\"", "header `X-Zone` was read but is not kept"]);
    let mut client = connect(&annex.keep_headers(["x-zone"])).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("wrapped").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn declared_headers_are_read_again_when_rights_change() {
    let barrier = portcullis::websocket(Barrier);
    let open = |zones: &'static [&'static str]| {
        let mut connecting = connect(&barrier).user(member(1, &[]));
        for zone in zones {
            connecting = connecting.header("x-zone", zone);
        }
        connecting.open()
    };
    assert_eq!(open(&["north"]).await.unwrap_err().status(), 403);
    let mut client = open(&["north", "east"]).await.unwrap();
    assert_eq!(client.call("pass").await.status(), 200);
    for number in 0..3 {
        assert!(barrier.connections().refresh_all().revalidated().await.is_acknowledged());
        barrier.publisher().publish(&Crowd, Opened(number));
        assert_eq!(client.event().await.value()["data"], number);
        assert_eq!(client.call("pass").await.status(), 200);
    }
}

#[tokio::test]
async fn declared_headers_of_a_real_handshake_are_kept() {
    let barrier =
        portcullis::websocket(Barrier).authenticate(async |_: &http::request::Parts| Ok(Some(member(1, &[]))));
    let (connections, publisher) = (barrier.connections(), barrier.publisher());
    let address = serve(barrier).await;
    let request = |zones: &[&'static str]| {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        for zone in zones {
            request.headers_mut().append("x-zone", zone.parse().unwrap());
        }
        request
    };
    assert!(connect_async(request(&["north"])).await.is_err());
    let (mut socket, _) = connect_async(request(&["north", "east"])).await.unwrap();
    let mut receive = async |text: &'static str| {
        socket.send(Message::text(text)).await.unwrap();
        let frame = socket.next().await.unwrap().unwrap();
        serde_json::from_str::<Value>(frame.to_text().unwrap()).unwrap()
    };
    assert_eq!(receive(r#"{"action":"pass"}"#).await["status"], 200);
    assert!(connections.refresh_all().revalidated().await.is_acknowledged());
    assert_eq!(receive(r#"{"action":"pass"}"#).await["status"], 200);
    publisher.publish(&Crowd, Opened(7));
    let frame = socket.next().await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(frame.to_text().unwrap()).unwrap()["data"], 7);
}
