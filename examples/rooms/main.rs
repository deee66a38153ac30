//! Shows: rooms, roles and nested handlers over an embedded database, and the rights of several users side by side.
//! Run:   `cargo run --example rooms -- [--port N] [DATABASE_FILE]` (port 3000; in memory without a file).
//! Open:  the address that it prints, and press buttons; there are no passwords.

mod extract;
#[path = "../listen/mod.rs"]
mod listen;
pub(crate) mod lobby;
mod members;
mod messages;
pub(crate) mod model;
mod pages;
mod permissions;
mod rooms;
pub(crate) mod store;

use std::error::Error;
use std::path::PathBuf;

use http::request::Parts;
use listen::listen;
use lobby::Lobby;
use portcullis::{Drain, Endpoint};
use store::Store;

/// The endpoint: the consumer with its database and its authentication.
pub(crate) fn endpoint(store: Store) -> Endpoint<Lobby> {
    let sessions = store.clone();
    portcullis::websocket(Lobby::new(store)).authenticate(move |parts: &Parts| {
        let user = pages::session_user(&sessions, &parts.uri);
        async { user }
    })
}

/// The command-line options.
struct Options {
    port: u16,
    database: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
        let mut options = Options { port: 3000, database: None };
        while let Some(argument) = arguments.next() {
            if argument == "--port" {
                options.port = arguments.next().ok_or("--port needs a number")?.parse()?;
            } else if argument.starts_with('-') {
                return Err(format!("unknown option {argument}; there is only --port N").into());
            } else {
                options.database = Some(argument.into());
            }
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The log names the leaf that refused and the user; the client gets only its 403.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::read(std::env::args().skip(1))?;
    let store = Store::open(options.database.as_deref())?;
    let (pages, endpoint) = (pages::pages(store.clone()), endpoint(store));
    let (drain, app) = (endpoint.drain_handle(), pages.route("/ws", endpoint.into_route()));
    let listener = listen(&format!("127.0.0.1:{}", options.port), "-- --port N").await?;
    println!("{}", portcullis::audit()?);
    println!("listening on http://{}/", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await?;
    println!("{:?}", drain.finished().await);
    Ok(())
}
