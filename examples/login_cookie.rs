//! Shows: the login session of a website, by tower-sessions, authenticates the socket; logging out closes it.
//! Run:   `cargo run --example login_cookie`
//! Type:  the lines that it prints.

#[path = "listen/mod.rs"]
mod listen;

use std::borrow::Cow;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::post;
use portcullis::http::request::Parts;
use portcullis::{Connections, Context, IsAuthenticated, Result, ResultExt, StatusCode, User, consumer};
use serde::Deserialize;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

const WHAT_TO_TYPE: &str = r#"
curl -c jar -X POST 'http://ADDRESS/login?name=ada'     logs in; the cookie is in the file `jar`
websocat -H "Cookie: $(awk 'END {print $6"="$7}' jar)" ws://ADDRESS/ws
{"action":"whoami"}                                     in the socket
curl -b jar -X POST http://ADDRESS/logout               closes the socket with 4403; the cookie no longer opens one
"#;

struct Member {
    name: String,
    until: SystemTime,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    // The connection does not outlive the login session.
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

/// Returns the user of the login session, which the layer has put into the request.
async fn session_user(parts: &Parts) -> Result<Option<Member>> {
    let Some(session) = parts.extensions.get::<Session>() else { return Ok(None) };
    let name = session.get("name").await.fault()?;
    Ok(name.map(|name| Member { name, until: session.expiry_date().into() }))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// Trusts the name. A real server would check a password here.
async fn log_in(session: Session, Query(login): Query<Login>) -> Result<(), StatusCode> {
    // Another key than before the login, so that nobody who knew the old one is logged in too.
    session.cycle_id().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    session.insert("name", login.name).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn log_out(session: Session, State(connections): State<Connections<Chat>>) -> Result<(), StatusCode> {
    let name: Option<String> = session.get("name").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    // First, so that no later handshake is accepted.
    session.flush().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    if let Some(name) = name {
        // All devices of the user. Those that are still logged in connect again.
        let _ = connections.disconnect_user(&name).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let chat = portcullis::websocket(Chat).authenticate(session_user);
    // `with_secure(false)` because this server has no TLS.
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .with_state(chat.connections())
        .route("/ws", chat.into_route())
        .layer(sessions.with_expiry(Expiry::OnInactivity(Duration::hours(1))));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = listen::listen(&address, "-- HOST:PORT").await?;
    let address = listener.local_addr()?.to_string();
    println!("listening on ws://{address}/ws\n{}", WHAT_TO_TYPE.replace("ADDRESS", &address));
    axum::serve(listener, app).await
}
