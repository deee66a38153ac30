//! Tickets: how they are presented and issued, who is refused, and stores that fail.

mod browser;
mod faults;
mod issuing;
mod log;
mod races;
mod redis;
mod refusals;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use http::request::Parts;
use portcullis::testing::{Client, Rejected, connect};
use portcullis::{
    Consumer, Context, Endpoint, IsAuthenticated, LoginId, MemoryTicketStore, Result, Ticket, TicketClaims,
    TicketStore, Tickets, User, consumer,
};
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::common::clients::{connect_http2, serve};

/// A user whose id is a number below 1,000; others do not exist.
#[derive(Clone)]
struct Guest {
    id: u32,
    until: Option<SystemTime>,
}

impl User for Guest {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.until
    }
}

fn guest(id: u32) -> Guest {
    Guest { id, until: None }
}

struct TicketDesk;

#[consumer(user = Guest, connect = IsAuthenticated)]
impl TicketDesk {
    #[action(permission = IsAuthenticated)]
    async fn whoami(&self, cx: &Context<'_, Guest>) -> Result<u32> {
        Ok(cx.require_user()?.id)
    }

    /// Returns what the connection keeps of its request.
    #[action(permission = IsAuthenticated)]
    async fn kept(&self, cx: &Context<'_, Guest>) -> Result<(BTreeMap<String, String>, Option<String>, String)> {
        let scope = cx.scope();
        let offered = scope.header("sec-websocket-protocol")?.map(str::to_owned);
        Ok((scope.query()?, offered, format!("{scope:?}")))
    }
}

/// The tickets of a store.
fn tickets(store: impl TicketStore) -> Tickets<Guest> {
    let load = |claims: TicketClaims| async move {
        let id: u32 = claims.user_id.parse().unwrap();
        Ok((id < 1000).then(|| guest(id)))
    };
    Tickets::new(store, load).max_per_user(3)
}

fn desk(tickets: &Tickets<Guest>) -> Endpoint<TicketDesk> {
    let desk = portcullis::websocket(TicketDesk).tickets(tickets.clone()).subprotocols(["desk.v1"]);
    desk.keep_headers(["sec-websocket-protocol"])
}

/// Returns the request of an HTTP client that is no browser.
fn request() -> Parts {
    http::Request::post("/ticket").header("host", "desk.example").body(()).unwrap().into_parts().0
}

/// Issues a ticket of a user in the login session `login`.
async fn issue<C: Consumer<User = Guest>>(endpoint: &Endpoint<C>, user: u32, login: &str) -> String {
    endpoint.issue_ticket(&request(), &guest(user), &LoginId::new(login)).await.unwrap().into()
}

/// Presents a ticket in the query, in process.
async fn open(desk: &Endpoint<TicketDesk>, ticket: &str) -> std::result::Result<Client, Rejected> {
    connect(desk).path(&format!("/ws?ticket={ticket}")).open().await
}

/// Asserts that a ticket opens a connection of this user.
async fn assert_opens(desk: &Endpoint<TicketDesk>, ticket: &str, user: u32) {
    let mut client = open(desk, ticket).await.unwrap();
    assert_eq!(*client.call("whoami").await.data(), user);
}

#[tokio::test]
async fn ticket_in_the_query_authenticates_and_is_not_kept() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let ticket = issue(&desk, 7, "a").await;
    let connecting = connect(&desk).path(&format!("/ws?lang=en&ticket={ticket}"));
    assert!(!format!("{connecting:?}").contains(&ticket));
    let mut client = connecting.open().await.unwrap();
    assert_eq!(*client.call("whoami").await.data(), 7);
    let kept = client.call("kept").await;
    assert_eq!((&kept.data()[0], &kept.data()[1]), (&json!({"lang": "en"}), &json!(null)));
    assert!(!kept.text().contains(&ticket), "{kept:?}");
}

#[tokio::test]
async fn ticket_among_the_subprotocols_authenticates_and_is_neither_answered_nor_kept() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let address = serve(desk.clone()).await;
    let ticket = issue(&desk, 7, "a").await;
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    let offered = format!("ticket.{ticket}, desk.v1").parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offered);
    let (_socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "desk.v1");

    let ticket = issue(&desk, 7, "a").await;
    let connecting = connect(&desk).header("sec-websocket-protocol", &format!("desk.v1, ticket.{ticket}"));
    let mut client = connecting.open().await.unwrap();
    let kept = client.call("kept").await;
    assert_eq!(kept.data()[1], "desk.v1");
    assert!(!kept.text().contains(&ticket), "{kept:?}");
}

#[tokio::test]
async fn ticket_authenticates_over_http2() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let mut client = connect_http2(&serve(desk.clone()).await).await;
    let ticket = issue(&desk, 7, "a").await;
    for status in [200, 401] {
        let request = http::Request::connect(format!("http://localhost/ws?ticket={ticket}"));
        let request = request.version(http::Version::HTTP_2).header("sec-websocket-version", "13");
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
        assert_eq!(client.send_request(request).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn client_that_offers_nothing_but_a_ticket_is_rejected_and_the_ticket_stays_valid() {
    let tickets = tickets(MemoryTicketStore::new());
    let without_subprotocols = portcullis::websocket(TicketDesk).tickets(tickets.clone());
    let desk = desk(&tickets);
    let ticket = issue(&desk, 7, "a").await;
    for (endpoint, offered) in [
        (&desk, format!("ticket.{ticket}")),
        (&desk, format!("other, ticket.{ticket}")),
        (&without_subprotocols, format!("desk.v1, ticket.{ticket}")),
    ] {
        let rejected = connect(endpoint).header("sec-websocket-protocol", &offered).open().await.unwrap_err();
        assert_eq!(rejected.status(), 400, "{offered}");
    }
    assert_opens(&without_subprotocols, &ticket, 7).await;
}

#[tokio::test]
async fn ticket_decides_before_a_layer_and_before_authenticate() {
    let tickets = tickets(MemoryTicketStore::new());
    let desk = desk(&tickets).authenticate(|parts: &Parts| {
        let name = parts.headers.get("x-user").map(|_| guest(9));
        assert_eq!(parts.uri.query(), None, "called with a ticket");
        async move { Ok(name) }
    });
    let ticket = issue(&desk, 7, "a").await;
    let with = |path: &str| connect(&desk).path(path).header("x-user", "").extension(guest(8));
    let mut client = with(&format!("/ws?ticket={ticket}")).open().await.unwrap();
    assert_eq!(*client.call("whoami").await.data(), 7);
    assert_eq!(with(&format!("/ws?ticket={ticket}")).open().await.unwrap_err().status(), 401);
    assert_eq!(*with("/ws").open().await.unwrap().call("whoami").await.data(), 8);
    let mut client = connect(&desk).header("x-user", "").open().await.unwrap();
    assert_eq!(*client.call("whoami").await.data(), 9);
}

#[tokio::test]
async fn origin_is_checked_before_the_ticket_is_redeemed() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let ticket = issue(&desk, 7, "a").await;
    let foreign = connect(&desk).path(&format!("/ws?ticket={ticket}")).header("origin", "https://evil.example");
    assert_eq!(foreign.open().await.unwrap_err().status(), 403);
    assert_opens(&desk, &ticket, 7).await;
}

#[tokio::test]
async fn endpoint_without_tickets_leaves_the_query_to_the_application() {
    let desk = portcullis::websocket(TicketDesk).authenticate(|parts: &Parts| {
        let is_known = parts.uri.query() == Some("ticket=opera");
        async move { Ok(is_known.then(|| guest(5))) }
    });
    assert_opens(&desk, "opera", 5).await;
}

#[tokio::test]
async fn debug_forms_do_not_show_a_ticket() {
    let tickets = tickets(MemoryTicketStore::new());
    let desk = desk(&tickets);
    let ticket: Ticket = desk.issue_ticket(&request(), &guest(7), &LoginId::new("a")).await.unwrap();
    for text in [format!("{ticket:?}"), format!("{tickets:?}"), format!("{desk:?}")] {
        assert!(!text.contains(ticket.as_str()), "{text}");
    }
}
