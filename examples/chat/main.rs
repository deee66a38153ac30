//! Shows: private, group and channel rooms where changes of rights apply at once, to actions and to events.
//! Run:   `cargo run --example chat -- [--port N] [DATABASE_FILE]` (port 3000; in memory without a file). Two processes with
//!        the same file, different ports and `--broker redis://127.0.0.1` or `--broker nats://127.0.0.1` are one chat.
//! Open:  the address that it prints, write as one user, and look at what the others receive; there are no passwords.

mod broker;
mod channels;
mod codenames;
mod enums;
mod events;
mod groups;
#[path = "../listen/mod.rs"]
mod listen;
pub(crate) mod lobby;
mod members;
mod messages;
pub(crate) mod model;
mod objects;
mod pages;
mod permissions;
pub(crate) mod policy;
mod revoke;
mod rooms;
#[path = "../listen/serve.rs"]
mod serve;
mod settings;
pub(crate) mod site_policy;
mod state;
pub(crate) mod store;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use listen::listen;
use lobby::Chat;
use model::UserId;
use policy::Policy;
use portcullis::{Drain, Endpoint};
use serve::serve;
use site_policy::SitePolicy;
use state::State;
use store::Store;

/// The endpoint: the consumer with its database, its policy and its authentication.
pub(crate) fn endpoint(store: Store, policy: impl Policy) -> Endpoint<Chat> {
    let (logins, grants, users) = (store.clone(), store.clone(), store.clone());
    let state = State { store, policy: Arc::new(policy) };
    portcullis::websocket(Chat::new(state))
        .grants(grants)
        .authenticate(move |parts: &Parts| {
            let user = pages::session_user(&logins, &parts.uri);
            async { user }
        })
        // The users that have a room open in another process.
        .present_user_loader(move |id| {
            let user = id.parse().map_err(portcullis::Error::internal).and_then(|id| users.account(UserId(id)));
            async { user }
        })
}

/// How long a client may take to send the headers of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests that are in progress may take when the server is stopped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The command-line options.
struct Options {
    port: u16,
    broker: Option<String>,
    database: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
        let mut options = Options { port: 3000, broker: None, database: None };
        while let Some(argument) = arguments.next() {
            if argument == "--port" {
                options.port = arguments.next().ok_or("--port needs a number")?.parse()?;
            } else if argument == "--broker" {
                options.broker = Some(arguments.next().ok_or("--broker needs a URL")?);
            } else if argument.starts_with('-') {
                return Err(format!("unknown option {argument}; there are --port N and --broker URL").into());
            } else {
                options.database = Some(argument.into());
            }
        }
        if options.broker.is_some() && options.database.is_none() {
            return Err("--broker needs a database file, which the processes share".into());
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
    let site_policy = SitePolicy { store: store.clone(), quota: 500 };
    let (pages, mut endpoint) = (pages::pages(store.clone()), endpoint(store, site_policy));
    if let (Some(broker), Some(database)) = (&options.broker, &options.database) {
        endpoint = broker::connect(endpoint, broker, database)?;
    }
    let pages = pages.route("/broker", broker::status(endpoint.snapshot_handle()));
    let (drain, app) = (endpoint.drain_handle(), pages.route("/ws", endpoint.into_route()));
    let listener = listen(&format!("127.0.0.1:{}", options.port), "-- --port N").await?;
    println!("{}", portcullis::audit()?);
    println!("listening on http://{}/", listener.local_addr()?);
    serve(listener, app, HEADER_TIMEOUT, SHUTDOWN_TIMEOUT, drain.on_signal(Drain::default())).await;
    println!("{:?}", drain.finished().await);
    Ok(())
}
