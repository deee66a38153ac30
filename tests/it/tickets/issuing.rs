//! Issuing tickets: by the origin rules of the endpoint, for credentials that have not expired, and not without limit.

use std::time::{Duration, SystemTime};

use axum::response::IntoResponse;
use portcullis::testing::{Rejected, connect};
use portcullis::{Endpoint, LoginId, MemoryBroker, MemoryTicketStore, RedisBroker, RedisTicketStore, Tickets};

use super::{Guest, TicketDesk, assert_opens, desk, guest, issue, open, request, tickets};

#[tokio::test]
async fn origin_of_an_issuing_request_is_checked_as_that_of_a_handshake() {
    let own = || desk(&tickets(MemoryTicketStore::new()));
    let settings: [fn(Endpoint<TicketDesk>) -> Endpoint<TicketDesk>; 5] = [
        |desk| desk,
        |desk| desk.allow_origins(["https://app.example"]),
        |desk| desk.hosts(["desk.example"]),
        |desk| desk.https_only(),
        |desk| desk.allow_any_origin(),
    ];
    let mut refused = 0;
    for setting in settings {
        let desk = setting(own());
        for origin in
            [None, Some("https://desk.example"), Some("http://desk.example"), Some("https://app.example"), Some("null")]
        {
            for host in ["desk.example", "other.example"] {
                let mut parts = request();
                parts.headers.insert("host", host.parse().unwrap());
                let mut connecting = connect(&desk).user(guest(1)).header("host", host);
                if let Some(origin) = origin {
                    parts.headers.insert("origin", origin.parse().unwrap());
                    connecting = connecting.header("origin", origin);
                }
                let issued = desk.issue_ticket(&parts, &guest(1), &LoginId::new("a")).await;
                let handshake = connecting.open().await.map(drop).map_err(Rejected::status);
                let issued = issued.map(drop).map_err(|error| error.status().as_u16());
                assert_eq!(issued, handshake, "{origin:?} at {host}");
                refused += usize::from(issued == Err(403));
            }
        }
    }
    assert!((15..40).contains(&refused), "{refused}");
}

#[tokio::test]
async fn oldest_ticket_over_the_cap_is_refused_and_other_users_are_not_concerned() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let other = issue(&desk, 8, "b").await;
    let mut of_user = Vec::new();
    for login in ["a", "b", "a", "b", "a"] {
        of_user.push(issue(&desk, 7, login).await);
    }
    let mut opened = Vec::new();
    for ticket in &of_user {
        opened.push(open(&desk, ticket).await.is_ok());
    }
    assert_eq!(opened, [false, false, true, true, true]);
    assert_opens(&desk, &other, 8).await;
}

#[tokio::test]
async fn user_whose_credentials_have_expired_gets_no_ticket() {
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let expired = Guest { id: 7, until: Some(SystemTime::now()) };
    let error = desk.issue_ticket(&request(), &expired, &LoginId::new("a")).await.unwrap_err();
    assert_eq!((error.status().as_u16(), error.code()), (401, "unauthenticated"));
}

#[tokio::test(start_paused = true)]
async fn connection_expires_with_the_credentials_that_the_ticket_was_issued_for() {
    for (loaded, issued, expected) in [(None, 20, 20), (Some(60), 20, 20), (Some(10), 20, 10)] {
        let at = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        let until = loaded.map(at);
        let tickets = Tickets::new(MemoryTicketStore::new(), move |claims| async move {
            assert!(claims.expires_at.is_some());
            Ok(Some(Guest { id: 7, until }))
        });
        let desk = desk(&tickets);
        let user = Guest { id: 7, until: Some(at(issued)) };
        let ticket = desk.issue_ticket(&request(), &user, &LoginId::new("a")).await.unwrap();
        let (mut client, start) = (open(&desk, ticket.as_str()).await.unwrap(), tokio::time::Instant::now());
        assert_eq!(client.closed().await, 4401);
        let seconds = start.elapsed().as_secs_f64();
        assert!((seconds - f64::from(expected)).abs() < 2.0, "{seconds} instead of {expected}");
    }
}

#[test]
#[should_panic(expected = "write at least `max_per_user(1)`")]
fn cap_of_zero_fails_at_set_up() {
    let _ = tickets(MemoryTicketStore::new()).max_per_user(0);
}

#[tokio::test]
async fn tickets_of_a_user_are_issued_at_a_bounded_rate() {
    let desk = desk(&tickets(MemoryTicketStore::new()).max_issued_per_minute(2));
    for desk in [&desk, &desk.clone()] {
        issue(desk, 7, "a").await;
    }
    let error = desk.issue_ticket(&request(), &guest(7), &LoginId::new("b")).await.unwrap_err();
    assert_eq!((error.status().as_u16(), error.code()), (429, "too_many_requests"));
    let response = error.into_response();
    assert_eq!(response.status(), 429);
    let retry_after: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&retry_after), "{retry_after}");
    assert_opens(&desk, &issue(&desk, 8, "a").await, 8).await;
}

#[tokio::test]
async fn sixty_tickets_per_minute_are_issued_by_default() {
    let load = |_| async { Ok(Some(guest(7))) };
    let desk = desk(&Tickets::new(MemoryTicketStore::new(), load));
    let (start, mut issued) = (std::time::Instant::now(), 0);
    let error = loop {
        match desk.issue_ticket(&request(), &guest(7), &LoginId::new("a")).await {
            Ok(_) => issued += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.status(), 429);
    // One more per second.
    assert!((60..=61 + start.elapsed().as_secs()).contains(&issued), "{issued}");
}

#[test]
#[should_panic(expected = "write at least `max_issued_per_minute(1)`")]
fn ticket_rate_of_zero_fails_at_set_up() {
    let _ = tickets(MemoryTicketStore::new()).max_issued_per_minute(0);
}

/// Connects to a Redis server when there is one, which the checks at set-up do not need.
fn redis() -> RedisBroker {
    RedisBroker::new("redis://127.0.0.1", "portcullis-tickets").unwrap()
}

fn shared() -> Tickets<Guest> {
    tickets(RedisTicketStore::new("redis://127.0.0.1", "portcullis-tickets").unwrap())
}

#[tokio::test]
#[should_panic(expected = "its tickets are known to this process only")]
async fn broker_between_processes_refuses_tickets_of_one_process() {
    let _ = desk(&tickets(MemoryTicketStore::new())).broker(redis());
}

#[tokio::test]
async fn shared_tickets_are_accepted_with_a_broker_between_processes() {
    let _ = desk(&shared()).broker(redis()).tickets(shared());
}

#[tokio::test]
#[should_panic(expected = "its tickets are known to this process only")]
async fn tickets_of_one_process_are_refused_after_the_broker_too() {
    // The clone has the broker too.
    let desk = desk(&shared());
    let _connected = desk.clone().broker(redis());
    let _ = desk.tickets(tickets(MemoryTicketStore::new()));
}

#[tokio::test]
async fn broker_within_one_process_accepts_tickets_of_it() {
    let desk = desk(&tickets(MemoryTicketStore::new())).broker(MemoryBroker::new());
    assert_opens(&desk, &issue(&desk, 7, "a").await, 7).await;
}
