//! Shows: the smallest server, with a public action and one for authenticated users.
//! Run:   `cargo run --example echo`
//! Type:  `websocat 'ws://127.0.0.1:3000/ws?name=ada'`, then `{"action":"shout","text":"hi"}`.

use std::borrow::Cow;

use portcullis::http::request::Parts;
use portcullis::{AllowAny, Context, Drain, IsAuthenticated, Result, User, consumer};

struct Member {
    name: String,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

struct Echo;

#[consumer(user = Member)]
impl Echo {
    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = IsAuthenticated)]
    async fn shout(&self, cx: &Context<'_, Member>, text: &str) -> Result<String> {
        Ok(format!("{} says {}", cx.require_user()?.name, text.to_uppercase()))
    }
}

/// Trusts the name in the query. A real server would look up the login session here.
async fn by_name(parts: &Parts) -> Result<Option<Member>> {
    let name = parts.uri.query().and_then(|query| query.strip_prefix("name="));
    Ok(name.map(|name| Member { name: name.to_owned() }))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let echo = portcullis::websocket(Echo).authenticate(by_name);
    let (drain, app) = (echo.drain_handle(), axum::Router::new().route("/ws", echo.into_route()));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|e| std::io::Error::other(format!("{e}: {address}; use `-- HOST:PORT`")))?;
    let audit = portcullis::audit().map_err(std::io::Error::other)?;
    println!("listening on ws://{}/ws\n\n{audit}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await
}
