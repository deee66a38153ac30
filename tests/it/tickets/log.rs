//! What is logged about tickets: everything but the ticket.

use portcullis::testing::{Rejected, connect};
use portcullis::{Error, LoginId, MemoryTicketStore, Tickets};

use super::{Guest, desk, guest, issue, open, request, tickets};
use crate::common::log_capture::LogCapture;

#[tokio::test]
async fn log_contains_no_ticket_at_any_level() {
    let log = LogCapture::start();
    let own = tickets(MemoryTicketStore::new());
    let desk = desk(&own).hosts(["desk.example"]);
    let mut issued = vec![issue(&desk, 7, "a").await];
    let ticket = issued[0].clone();
    let query = format!("/ws?ticket={ticket}");
    let connecting = |path: &str| connect(&desk).path(path).header("host", "desk.example");

    // Rejected by the origin, the host and the subprotocol; accepted; used; several; malformed.
    let foreign = connecting(&query).header("origin", "https://evil.example").open().await.unwrap_err();
    let elsewhere = connect(&desk).path(&query).header("host", "other.example").open().await.unwrap_err();
    let offered = format!("other, ticket.{ticket}");
    let unanswered = connecting("/ws").header("sec-websocket-protocol", &offered).open().await.unwrap_err();
    let mut client = connecting(&query).open().await.unwrap();
    assert_eq!(client.call("whoami").await.status(), 200);
    assert_eq!(client.call("unknown").await.status(), 405);
    let used = connecting(&query).open().await.unwrap_err();
    let several = connecting(&format!("{query}&ticket={ticket}")).open().await.unwrap_err();
    let malformed = connecting(&format!("{query}0")).open().await.unwrap_err();
    let statuses = [foreign, elsewhere, unanswered, used, several, malformed].map(Rejected::status);
    assert_eq!(statuses, [403, 403, 400, 401, 401, 401]);

    // An endpoint that has no tickets gets one among the subprotocols.
    let other = portcullis::websocket(super::TicketDesk).subprotocols(["desk.v1"]);
    let other = connect(&other).header("sec-websocket-protocol", &format!("ticket.{ticket}")).open().await;
    assert_eq!(other.unwrap_err().status(), 400);

    // Issuing is refused, and the user cannot be loaded.
    let mut parts = request();
    parts.headers.insert("origin", "https://evil.example".parse().unwrap());
    desk.issue_ticket(&parts, &guest(7), &LoginId::new("a")).await.unwrap_err();
    let broken: Tickets<Guest> =
        Tickets::new(MemoryTicketStore::new(), |claims| async move { Err(Error::internal(format!("{claims:?}"))) });
    let broken = super::desk(&broken);
    issued.push(issue(&broken, 7, "a").await);
    assert_eq!(open(&broken, &issued[1]).await.unwrap_err().status(), 500);

    let lines = log.take();
    for logged in [
        "INFO message=handshake rejected: origin not allowed",
        "INFO message=handshake rejected: host not allowed",
        "INFO message=handshake rejected: the client offers no subprotocol of the endpoint",
        "INFO message=handshake rejected by authentication status=401",
        "INFO message=ticket not issued: origin not allowed",
        "ERROR message=authentication failed",
        "TRACE message=action started",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(logged)), "{logged}: {lines:#?}");
    }
    let rejected: Vec<_> = lines.iter().filter(|line| line.contains("by authentication")).collect();
    assert!(rejected.len() == 3 && rejected.iter().all(|line| *line == rejected[0]), "{rejected:#?}");
    for ticket in issued {
        assert!(!lines.iter().any(|line| line.contains(&ticket)), "{lines:#?}");
    }
}
