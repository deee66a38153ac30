//! Shows: tokens that expire after a minute, re-authentication on an open connection, and rights that change with the token.
//! Run:   `cargo run --example identity`
//! Type:  `websocat ws://127.0.0.1:3000/ws`, then paste the lines it prints; look at which events arrive after each token.

#[path = "listen/mod.rs"]
mod listen;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use portcullis::{
    AllowAny, ConnectContext, Context, Drain, Event, EventPermission, Group, IsAuthenticated, Result, Scope, User,
    consumer,
};

const WHAT_TO_PASTE: &str = r#"
{"action":"login","name":"ada","role":"editor"}     answers with a token
{"action":"authenticate","token":"…"}               with that token: from now on drafts arrive too
{"action":"login","name":"ada","role":"reader"}     a token of the same user with fewer rights
{"action":"authenticate","token":"…"}               with that token: the drafts end, the headlines continue
{"action":"whoami"}                                 shows the time that is left; then the connection closes with 4401
"#;

#[derive(Clone)]
struct Member {
    name: String,
    role: String,
    until: SystemTime,
}
impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        Some(self.until)
    }
}

/// All connections. Each event's own permission defines which of them receive it.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Newsroom, permission = AllowAny, publish = members, events(Headline, Draft))]
struct Wire;
#[derive(Event)]
struct Headline(u32);
#[derive(Event)]
struct Draft(u32);

/// Evaluated when the event is delivered, for the user of the newest token.
struct Is(&'static str);
impl EventPermission<Draft, Newsroom> for Is {
    fn may_see(&self, _: &Newsroom, scope: &Scope<Member>, _: &Draft) -> bool {
        scope.user().is_some_and(|member| member.role == self.0)
    }
}

/// Stores the user of each token. A real server would verify a signature instead.
struct Newsroom {
    tokens: Mutex<HashMap<String, Member>>,
    lifetime: Duration,
}
#[consumer(user = Member)]
impl Newsroom {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Wire).await
    }

    /// Authenticates an anonymous connection, or renews a member's. An expired token and another user's token are a 403.
    #[authenticate]
    async fn renew(&self, token: &str) -> Result<Option<Member>> {
        Ok(self.tokens.lock().unwrap().get(token).cloned())
    }

    /// Trusts the caller. A real server would have a login page.
    #[action(permission = AllowAny)]
    async fn login(&self, name: String, role: String) -> String {
        // Sufficient for a demo; a real token needs a cryptographic source of randomness.
        let token = format!("{:016x}{:016x}", RandomState::new().hash_one(&name), RandomState::new().hash_one(&role));
        let member = Member { name, role, until: SystemTime::now() + self.lifetime };
        self.tokens.lock().unwrap().insert(token.clone(), member);
        token
    }

    #[action(permission = IsAuthenticated)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Result<String> {
        let Member { name, role, until } = cx.require_user()?;
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        Ok(format!("{name}, {role}, for {} s", left.as_secs()))
    }

    #[event(permission = AllowAny)]
    fn headline(&self, event: &Headline) -> String {
        format!("headline {}", event.0)
    }

    #[event(permission = Is("editor"))]
    fn draft(&self, event: &Draft) -> String {
        format!("draft {}", event.0)
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let lifetime = arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let newsroom = Newsroom { tokens: Mutex::default(), lifetime: Duration::from_secs(lifetime) };
    let endpoint = portcullis::websocket(newsroom);
    let publisher = endpoint.publisher();
    tokio::spawn(async move {
        for number in 1.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            publisher.publish(&Wire, Draft(number));
            publisher.publish(&Wire, Headline(number));
        }
    });
    let listener = listen::listen(&address, "-- HOST:PORT").await?;
    println!("listening on ws://{}/ws\n{WHAT_TO_PASTE}", listener.local_addr()?);
    let (drain, app) = (endpoint.drain_handle(), axum::Router::new().route("/ws", endpoint.into_route()));
    axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await
}
