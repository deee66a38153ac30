//! Tickets that are not valid: each is refused with the same response, over a real socket.

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis::{AllowAny, Endpoint, LoginId, MemoryTicketStore, Ticket, TicketStore, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::redis::{expire_tickets, redis_store};
use super::{Guest, TicketDesk, assert_opens, desk, issue, tickets};
use crate::common::clients::serve;
use crate::common::raw_socket;

/// Another consumer whose endpoint shares the tickets.
struct OtherTicketDesk;

#[consumer(user = Guest)]
impl OtherTicketDesk {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Sends a request and returns the head of the response without its date.
async fn response(address: &str, query: &str, subprotocols: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let header = format!("Sec-WebSocket-Protocol: {subprotocols}\r\n\r\n");
    let request = raw_socket::request(query).replace("\r\n\r\n", &format!("\r\n{header}"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.split_inclusive('\n').filter(|line| !line.starts_with("date:")).collect()
}

/// Returns the texts of tickets that are not valid, and what is wrong with each.
async fn invalid_tickets(desk: &Endpoint<TicketDesk>, expire: impl AsyncFnOnce()) -> Vec<(&'static str, String)> {
    let mut invalid = vec![("expired", issue(desk, 1, "expired").await)];
    expire().await;
    let replayed = issue(desk, 2, "replayed").await;
    assert_opens(desk, &replayed, 2).await;
    invalid.push(("replayed", replayed.clone()));

    let flood = [issue(desk, 3, "a").await, issue(desk, 3, "b").await];
    for _ in 0..3 {
        issue(desk, 3, "c").await;
    }
    invalid.extend(flood.map(|ticket| ("flooded", ticket)));
    invalid.push(("of a user who does not exist", issue(desk, 1000, "a").await));
    invalid.push(("of another store", issue(&super::desk(&tickets(MemoryTicketStore::new())), 4, "a").await));
    let unknown: String = replayed.chars().rev().collect();
    invalid.push(("unknown", unknown));
    for malformed in ["", "0", &replayed[1..], &format!("{replayed}0"), &format!("{}g", &replayed[1..]), "%00", "%ff"] {
        invalid.push(("malformed", malformed.to_owned()));
    }
    invalid
}

/// Presents tickets that are not valid, in both ways. `expire` lets all tickets expire.
async fn assert_refused(store: impl TicketStore, expire: impl AsyncFnOnce()) {
    let tickets = tickets(store);
    let desk = desk(&tickets);
    let mut invalid = invalid_tickets(&desk, expire).await;

    let voided = issue(&desk, 5, "voided").await;
    tickets.void_login(&LoginId::new("voided")).await.unwrap();
    invalid.extend([("voided", voided), ("issued after it was voided", issue(&desk, 5, "voided").await)]);
    let other = portcullis::websocket(OtherTicketDesk).tickets(tickets.clone());
    invalid.push(("of another consumer", issue(&other, 6, "a").await));

    let address = serve(desk.clone()).await;
    let mut responses = BTreeSet::new();
    for (reason, ticket) in invalid {
        let query = response(&address, &format!("?ticket={ticket}"), "desk.v1").await;
        assert!(query.starts_with("HTTP/1.1 401") && query.contains("content-length: 0"), "{reason}: {query}");
        let subprotocol = response(&address, "", &format!("desk.v1, ticket.{ticket}")).await;
        responses.extend([query, subprotocol]);
    }
    // Several tickets, of which one is valid: it is not used up.
    let valid = issue(&desk, 7, "a").await;
    responses.insert(response(&address, &format!("?ticket={valid}&ticket={valid}"), "desk.v1").await);
    responses.insert(response(&address, &format!("?ticket={valid}"), &format!("desk.v1, ticket.{valid}")).await);
    assert_eq!(responses.len(), 1, "{responses:#?}");
    assert_opens(&desk, &valid, 7).await;
}

#[tokio::test]
async fn invalid_tickets_in_memory_get_the_same_response() {
    let expire = async || {
        tokio::time::pause();
        tokio::time::advance(Ticket::LIFETIME + Duration::from_millis(1)).await;
        tokio::time::resume();
    };
    assert_refused(MemoryTicketStore::new(), expire).await;
}

#[tokio::test]
async fn invalid_tickets_in_redis_get_the_same_response() {
    if let Some((store, prefix)) = redis_store().await {
        assert_refused(store, async || expire_tickets(&prefix).await).await;
    }
}
