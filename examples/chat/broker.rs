//! Several processes that are one chat: the broker between them, and what clients learn when it is lost.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use axum::routing::{MethodRouter, get};
use portcullis::{
    DenyAll, Endpoint, Event, Group, IsAuthenticated, NatsBroker, Publisher, RedisBroker, SnapshotHandle,
};
use serde::Serialize;
use tokio::time::interval;

use super::lobby::Chat;
use super::pages::json;

/// The broker was lost, or is connected again.
#[derive(Event, Serialize)]
#[event(local)]
pub(crate) struct BrokerChanged {
    is_connected: bool,
}

/// All connections to this process.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(local, consumer = Chat, permission = IsAuthenticated, publish = DenyAll, events(BrokerChanged))]
pub(crate) struct ThisProcess;

/// Connects the endpoint to those of other processes that have the same database.
pub(crate) fn connect(
    endpoint: Endpoint<Chat>,
    broker: &str,
    database: &Path,
) -> Result<Endpoint<Chat>, Box<dyn Error>> {
    // The prefix separates this chat from others at the same broker.
    let prefix = format!("chat {}", database.canonicalize()?.display());
    let endpoint = match broker.split_once("://") {
        Some(("redis", _)) => endpoint.broker(RedisBroker::new(broker, &prefix)?),
        Some(("nats", _)) => endpoint.broker(NatsBroker::new(broker, &prefix)?),
        _ => return Err(format!("`{broker}` is not the URL of a broker: write `redis://..` or `nats://..`").into()),
    };
    tokio::spawn(watch(endpoint.snapshot_handle(), endpoint.publisher()));
    Ok(endpoint)
}

/// Tells the clients when the broker is lost, and when it is back.
async fn watch(snapshots: SnapshotHandle, publisher: Publisher<Chat>) {
    let (mut seconds, mut was_connected) = (interval(Duration::from_secs(1)), None);
    loop {
        seconds.tick().await;
        let is_connected = is_connected(&snapshots);
        if was_connected != is_connected {
            was_connected = is_connected;
            publisher.publish(&ThisProcess, BrokerChanged { is_connected: is_connected == Some(true) });
        }
    }
}

/// Returns whether the broker is connected. `None` if there is only one process.
fn is_connected(snapshots: &SnapshotHandle) -> Option<bool> {
    snapshots.snapshot().cluster.map(|cluster| cluster.is_connected)
}

/// Answers whether the broker is connected, for a page that was just opened.
pub(crate) fn status(snapshots: SnapshotHandle) -> MethodRouter {
    get(async move || json(&is_connected(&snapshots)))
}
