//! Shows: the login session of a website, by tower-sessions, authenticates the socket; logging out closes it.
//! Run:   `cargo run --example login_cookie`
//! Type:  the lines that it prints.

#[path = "listen/mod.rs"]
mod listen;

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::post;
use portcullis::http::request::Parts;
use portcullis::{Connections, Context, Drain, IsAuthenticated, Result, ResultExt, StatusCode, User, consumer};
use serde::Deserialize;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

const WHAT_TO_TYPE: &str = r#"
curl -c jar -X POST 'http://ADDRESS/login?name=ada'     logs in; the cookie is in the file `jar`
websocat -H "Cookie: $(awk 'END {print $6"="$7}' jar)" ws://ADDRESS/ws
{"action":"whoami"}                                     in the socket
curl -b jar -X POST http://ADDRESS/logout               closes the socket with 4403; the cookie no longer opens one
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
    let login: Option<(String, u64)> = session.get("login").await.fault()?;
    Ok(login.map(|(name, until)| Member { name, until: UNIX_EPOCH + Duration::from_secs(until) }))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// Trusts the name. A real server would check a password here.
async fn log_in(session: Session, state: State<Connections<Chat>>, login: Query<Login>) -> Result<(), StatusCode> {
    // Ends the login session of this browser, if there is one, and prevents session fixation: the key from before the
    // login becomes invalid.
    log_out(session.clone(), state).await?;
    // With the end of the login session, because a socket does not prolong it.
    let until = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| (now + LIFETIME).as_secs());
    session.insert("login", (&login.name, until)).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn log_out(session: Session, State(connections): State<Connections<Chat>>) -> Result<(), StatusCode> {
    let login: Option<(String, u64)> = session.get("login").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    // First, so that no later handshake is accepted.
    session.flush().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    if let Some((name, _)) = login {
        // All devices of the user. Those that are still logged in connect again.
        let _ = connections.disconnect_user(&name).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let chat = portcullis::websocket(Chat).authenticate(session_user);
    let drain = chat.drain_handle();
    // `with_secure(false)` because this server has no TLS.
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .with_state(chat.connections())
        .route("/ws", chat.into_route())
        .layer(sessions.with_expiry(Expiry::OnInactivity(LIFETIME.try_into().map_err(std::io::Error::other)?)));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = listen::listen(&address, "-- HOST:PORT").await?;
    let address = listener.local_addr()?.to_string();
    println!("listening on ws://{address}/ws\n{}", WHAT_TO_TYPE.replace("ADDRESS", &address));
    axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await
}
