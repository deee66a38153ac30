//! Shows: a ticket, fetched by an HTTP request of a logged-in user, opens one socket; logging out voids it and closes
//! the socket. Run:   `cargo run --example login_ticket`; `-- HOST:PORT redis://HOST` keeps the tickets in Redis.
//! Type:  the lines that it prints.

#[path = "listen/mod.rs"]
mod listen;

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use portcullis::http::request::Parts;
use portcullis::{
    Context, Drain, Endpoint, IsAuthenticated, LoginId, MemoryTicketStore, RedisTicketStore, Result, StatusCode,
    TicketClaims, Tickets, User, consumer,
};
use serde::Deserialize;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

const WHAT_TO_TYPE: &str = r#"
curl -c jar -X POST 'http://ADDRESS/login?name=ada'         logs in; the cookie is in the file `jar`
TICKET=$(curl -b jar -X POST http://ADDRESS/ticket)         valid once, for 30 s
websocat --protocol "chat.v1, ticket.$TICKET" ws://ADDRESS/ws
{"action":"whoami"}                                         in the socket
curl -b jar -X POST http://ADDRESS/logout                   closes the socket with 4403, and voids tickets
"#;

/// How long a login session lasts.
const LIFETIME: Duration = Duration::from_hours(1);

struct Member {
    name: String,
    until: SystemTime,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    // Neither the connection nor a ticket outlives the login session.
    fn expires_at(&self) -> Option<SystemTime> {
        Some(self.until)
    }
}

struct Chat;

#[consumer(user = Member, connect = IsAuthenticated)]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Result<String> {
        Ok(cx.require_user()?.name.clone())
    }
}

/// Loads the user of a ticket. A real server would check whether the user may still log in.
async fn ticket_user(claims: TicketClaims) -> Result<Option<Member>> {
    Ok(claims.expires_at.map(|until| Member { name: claims.user_id, until }))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// Trusts the name. A real server would check a password here.
async fn log_in(state: State<App>, session: Session, login: Query<Login>) -> Result<(), StatusCode> {
    if logged_in(&session).await.is_ok() {
        log_out(state, session.clone()).await?;
    }
    // Prevents session fixation: the key from before the login becomes invalid.
    session.cycle_id().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let until = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| (now + LIFETIME).as_secs());
    session.insert("login", (&login.name, until)).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns the user of a login session, and its id.
async fn logged_in(session: &Session) -> Result<(Member, LoginId), StatusCode> {
    let login: Option<(String, u64)> = session.get("login").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let ((name, until), id) = login.zip(session.id()).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok((Member { name, until: UNIX_EPOCH + Duration::from_secs(until) }, LoginId::new(id.to_string())))
}

/// Issues a ticket, if the request comes from a page that may open the socket too.
/// The response to an error has its status and, for 429, `Retry-After`.
async fn ticket(State((chat, _)): State<App>, session: Session, request: Parts) -> Result<String, Response> {
    let (member, login) = logged_in(&session).await.map_err(IntoResponse::into_response)?;
    let ticket = chat.issue_ticket(&request, &member, &login).await;
    ticket.map(String::from).map_err(IntoResponse::into_response)
}

async fn log_out(State((chat, tickets)): State<App>, session: Session) -> Result<(), StatusCode> {
    let (member, login) = logged_in(&session).await?;
    // First the login session and its tickets, so that no later handshake is accepted.
    session.flush().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let voided = tickets.void_login(&login).await;
    // Also if that fails. All devices of the user: those that are still logged in fetch a ticket and connect again.
    let _ = chat.connections().disconnect_user(&member.id()).await;
    voided.map_err(|error| error.status())
}

type App = (Endpoint<Chat>, Tickets<Member>);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let tickets = match arguments.next() {
        Some(url) => Tickets::new(RedisTicketStore::new(&url, "login_ticket")?, ticket_user),
        None => Tickets::new(MemoryTicketStore::new(), ticket_user),
    };
    let chat = portcullis::websocket(Chat).subprotocols(["chat.v1"]).tickets(tickets.clone());
    let drain = chat.drain_handle();
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/ticket", post(ticket))
        .route("/logout", post(log_out))
        .with_state((chat.clone(), tickets))
        // `with_secure(false)` because this server has no TLS.
        .layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
        .route("/ws", chat.into_route());
    let listener = listen::listen(&address, "-- HOST:PORT").await?;
    let address = listener.local_addr()?.to_string();
    println!("listening on ws://{address}/ws\n{}", WHAT_TO_TYPE.replace("ADDRESS", &address));
    Ok(axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await?)
}
