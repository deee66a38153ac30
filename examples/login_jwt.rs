//! Shows: a JSON Web Token authenticates the socket, which closes when the token expires or is revoked.
//! Run:   `cargo run --example login_jwt`
//! Type:  the lines that it prints.

#[path = "listen/mod.rs"]
mod listen;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::post;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use portcullis::http::HeaderMap;
use portcullis::http::request::Parts;
use portcullis::{
    AllowAny, Authenticate, Connections, Context, Drain, Error, IsAuthenticated, Result, StatusCode, User, consumer,
};
use serde::{Deserialize, Serialize};

const WHAT_TO_TYPE: &str = r#"
TOKEN=$(curl -X POST 'http://ADDRESS/login?name=ada')          logs in
websocat -H "Authorization: Bearer $TOKEN" ws://ADDRESS/ws
{"action":"whoami"}                                            in the socket
{"action":"authenticate","token":"…"}                          renews it with the token of another login
curl -X POST -H "Authorization: Bearer $TOKEN" http://ADDRESS/logout       closes the socket with 4403
"#;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    /// Identifies the token, so that it can be revoked.
    jti: u64,
}

struct Member {
    claims: Claims,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.claims.sub)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.claims.exp))
    }
}

/// Signs and verifies tokens.
struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    lifetime: Duration,
    next: AtomicU64,
    /// A real server would keep them in its database until they expire.
    revoked: Mutex<HashSet<u64>>,
}

impl Tokens {
    fn sign(&self, name: String) -> jsonwebtoken::errors::Result<String> {
        let exp = jsonwebtoken::get_current_timestamp() + self.lifetime.as_secs();
        let claims = Claims { sub: name, exp, jti: self.next.fetch_add(1, Ordering::Relaxed) };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    fn verify(&self, token: &str) -> Option<Member> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The connection closes exactly at `exp` too.
        validation.leeway = 0;
        let claims: Claims = decode(token, &self.verifying, &validation).ok()?.claims;
        (!self.revoked.lock().unwrap().contains(&claims.jti)).then_some(Member { claims })
    }

    /// Returns the user of the header `Authorization`, or `None` if there is no such header.
    fn verify_header(&self, headers: &HeaderMap) -> Result<Option<Member>> {
        let Some(header) = headers.get("authorization") else { return Ok(None) };
        let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.verify(token)).map(Some).ok_or_else(Error::unauthenticated)
    }
}

/// Authenticates the request of a socket.
struct Bearer(Arc<Tokens>);

impl Authenticate<Member> for Bearer {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Member>> {
        self.0.verify_header(&parts.headers)
    }
}

struct Chat(Arc<Tokens>);

#[consumer(user = Member)]
impl Chat {
    /// Renews the connection, or authenticates a page, which cannot set the header.
    #[authenticate]
    async fn renew(&self, token: &str) -> Result<Option<Member>> {
        Ok(self.0.verify(token))
    }

    #[action(permission = IsAuthenticated)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Result<String> {
        Ok(cx.require_user()?.claims.sub.clone())
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// Trusts the name. A real server would check a password here.
async fn log_in(State((tokens, _)): State<App>, Query(login): Query<Login>) -> Result<String, StatusCode> {
    tokens.sign(login.name).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn log_out(State((tokens, connections)): State<App>, headers: HeaderMap) -> Result<(), StatusCode> {
    let member = tokens.verify_header(&headers).map_err(|error| error.status())?;
    let member = member.ok_or(StatusCode::UNAUTHORIZED)?;
    // First, so that no later handshake is accepted.
    tokens.revoked.lock().unwrap().insert(member.claims.jti);
    // All devices of the user. Those whose token is not revoked connect again.
    let _ = connections.disconnect_user(&member.id()).await;
    Ok(())
}

type App = (Arc<Tokens>, Connections<Chat>);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let lifetime = arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(900);
    // Tokens end with this process. A real server reads 32 random bytes from its configuration.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let tokens = Arc::new(Tokens {
        signing: EncodingKey::from_secret(&secret)?,
        verifying: DecodingKey::from_secret(&secret)?,
        lifetime: Duration::from_secs(lifetime),
        next: AtomicU64::new(0),
        revoked: Mutex::default(),
    });
    let chat = portcullis::websocket(Chat(tokens.clone()))
        .authenticate(Bearer(tokens.clone()))
        .authenticate_within(Duration::from_secs(10));
    let drain = chat.drain_handle();
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .with_state((tokens, chat.connections()))
        .route("/ws", chat.into_route());
    let listener = listen::listen(&address, "-- HOST:PORT").await?;
    let address = listener.local_addr()?.to_string();
    println!("listening on ws://{address}/ws\n{}", WHAT_TO_TYPE.replace("ADDRESS", &address));
    Ok(axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await?)
}
