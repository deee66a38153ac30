//! A page in a real browser fetches a ticket and presents it as a subprotocol.

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::{get, post};
use http::StatusCode;
use http::request::Parts;
use portcullis::{Endpoint, LoginId, MemoryTicketStore};
use serde_json::json;
use tokio::net::TcpListener;

use super::{TicketDesk, desk, guest, tickets};
use crate::common::browser::{Browser, chromium};

/// Opens three sockets. Each gives the negotiated subprotocol and the user, or `error`.
const SCRIPT: &str = r#"(async () => {
    const open = (offered) => new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/ws`, offered);
        socket.onopen = () => socket.send('{"action":"whoami"}');
        socket.onmessage = (message) => resolve([socket.protocol, JSON.parse(message.data).data]);
        socket.onerror = () => resolve("error");
    });
    const ticket = await (await fetch("/ticket", { method: "POST" })).text();
    const offered = ["desk.v1", "ticket." + ticket];
    return [await open(offered), await open(offered), await open(["other"])];
})()"#;

/// Issues a ticket of user 7. Its `Origin` header is that of the browser.
async fn issue(State(desk): State<Endpoint<TicketDesk>>, request: Parts) -> Result<String, StatusCode> {
    assert!(request.headers.contains_key("origin"));
    let ticket = desk.issue_ticket(&request, &guest(7), &LoginId::new("a")).await;
    ticket.map(String::from).map_err(|error| error.status())
}

#[tokio::test]
async fn page_in_a_browser_opens_one_socket_per_ticket() {
    let Some(program) = chromium() else { return };
    let desk = desk(&tickets(MemoryTicketStore::new()));
    let app = Router::new()
        .route("/", get(async || Html("<title>desk</title>")))
        .route("/ticket", post(issue))
        .with_state(desk.clone())
        .route("/ws", desk.into_route());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut browser = Browser::start(program).await;
    browser.open(&address).await;
    assert_eq!(browser.evaluate(SCRIPT).await, json!([["desk.v1", 7], "error", "error"]));
}
