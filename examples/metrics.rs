//! Shows: a chat, an observer that logs slow actions, and a second listener for operators alone with `/metrics` for Prometheus
//!        and `/health` as JSON.
//! Run:   `cargo run --example metrics`
//! Type:  `websocat ws://127.0.0.1:3000/ws`, then `{"action":"join","room":1}` and `{"action":"say","room":1,"text":"hi"}`;
//!        then `curl http://127.0.0.1:3001/metrics` and `curl http://127.0.0.1:3001/health`.

use std::future::IntoFuture;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use portcullis::{
    ACTION_DURATION_BUCKETS, ActionFinished, AllowAny, CONNECTION_DURATION_BUCKETS, Context, Drain, EndpointState,
    Event, Group, Observer, Result, consumer, websocket,
};
use tokio::net::TcpListener;

/// How often the exporter merges the durations that were recorded.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

struct Chat;

#[derive(Event)]
struct Said {
    text: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
struct Room(u32);

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, ()>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, ()>, room: u32, text: String) -> Result<()> {
        cx.publish(Room(room), Said { text }).await
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &str {
        &event.text
    }
}

/// Logs actions that have taken longer than a second.
struct SlowActions;

impl Observer for SlowActions {
    fn action_finished(&mut self, observation: &ActionFinished) {
        if observation.duration > Duration::from_secs(1) {
            println!("{} took {:?}", observation.action, observation.duration);
        }
    }
}

/// Installs the recorder of Prometheus, with the recommended buckets.
fn install_recorder() -> std::result::Result<PrometheusHandle, BuildError> {
    let matcher = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(matcher("portcullis.action.duration"), &ACTION_DURATION_BUCKETS)?
        .set_buckets_for_metric(matcher("portcullis.server.connection.duration"), &CONNECTION_DURATION_BUCKETS)?
        .install_recorder()
}

/// Merges what was recorded, also if nothing requests `/metrics`: until then the exporter keeps every single duration.
async fn run_upkeep(recorder: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        recorder.run_upkeep();
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let recorder = install_recorder().map_err(std::io::Error::other)?;
    let chat = websocket(Chat).record_metrics().observe(SlowActions);
    let (drain, snapshots) = (chat.drain_handle(), chat.snapshot_handle());

    tokio::spawn(run_upkeep(recorder.clone()));
    let metrics = async move || {
        recorder.run_upkeep();
        ([(CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render())
    };
    let health = async move || {
        let snapshot = snapshots.snapshot();
        let is_ready = snapshot.state == EndpointState::Ready;
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, [(CONTENT_TYPE, "application/json")], serde_json::to_string(&snapshot).unwrap_or_default())
    };
    let operators = Router::new().route("/metrics", get(metrics)).route("/health", get(health));
    let app = Router::new().route("/ws", chat.into_route());

    let mut addresses = std::env::args().skip(1);
    let listener = bind(addresses.next(), "127.0.0.1:3000").await?;
    // The numbers of an endpoint are not for its clients: the port is not open to them.
    let operator_listener = bind(addresses.next(), "127.0.0.1:3001").await?;
    println!("operators: http://{}/metrics", operator_listener.local_addr()?);
    println!("listening on ws://{}/ws", listener.local_addr()?);
    // It answers until the process ends, even while the endpoint is drained.
    tokio::spawn(axum::serve(operator_listener, operators).into_future());
    axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await
}

/// Listens at an argument of the command, or at a default.
async fn bind(argument: Option<String>, default: &str) -> std::io::Result<TcpListener> {
    let address = argument.unwrap_or_else(|| default.to_owned());
    let listener = TcpListener::bind(&address).await;
    listener.map_err(|e| std::io::Error::other(format!("{e}: {address}; use `-- HOST:PORT OPERATORS_HOST:PORT`")))
}
