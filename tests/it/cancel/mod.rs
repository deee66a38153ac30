//! The built-in action `cancel`.

mod races;
mod setup;
mod targets;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Event, Group, Handler, Limits, Permission,
    PermissionContext, Result, Streamed, consumer,
};
use serde_json::Value;

use crate::common::limits::without_timeouts;
use crate::common::progress::Progress;

#[derive(Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Foundry, permission = AllowAny, publish = AllowAny, events(Said))]
struct Board;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Foundry, permission = AllowAny, publish = AllowAny, events(Said))]
struct Annex;

/// Never answers, and counts as started.
struct Hangs;

impl Permission<Foundry> for Hangs {
    async fn has_permission(&self, foundry: &Foundry, _: &PermissionContext<'_, ()>) -> Result<bool> {
        foundry.0.started.add_permits(1);
        std::future::pending().await
    }
}

/// Yields once, so that the check of a message is under way when the next message is read.
struct Slow;

impl<H: Handler> Permission<H> for Slow {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        tokio::task::yield_now().await;
        Ok(true)
    }
}

struct Foundry(Arc<Progress>);

type Values = Streamed<Pin<Box<dyn Stream<Item = u32> + Send>>>;

#[consumer]
impl Foundry {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Board).await
    }

    #[disconnect]
    async fn disconnected(&self, _: &Disconnect<'_, ()>) {
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = AllowAny)]
    async fn note(&self, name: String) {
        self.0.record(name);
    }

    #[action(permission = AllowAny, detached)]
    async fn note_detached(&self, name: String) {
        self.0.record(name);
    }

    /// Publishes and joins, and ends when it is cancelled.
    #[action(permission = Slow)]
    async fn cast(&self, cx: &Context<'_, ()>, name: String) -> Result<String> {
        cx.publish(Board, Said(format!("{name} is cast"))).await?;
        cx.join(Annex).await?;
        self.0.started.add_permits(1);
        cx.cancelled().await;
        self.0.record(format!("{name} stops"));
        Ok(name)
    }

    #[action(permission = Slow, detached)]
    async fn cast_detached(&self, cx: &Context<'_, ()>, name: String) -> Result<String> {
        self.cast(cx, name).await
    }

    #[action(permission = AllowAny, blocking)]
    fn cast_blocking(&self, cx: &Context<'_, ()>, name: String) -> Result<String> {
        tokio::runtime::Handle::current().block_on(self.cast(cx, name))
    }

    /// Does not stop when it is cancelled.
    #[action(permission = AllowAny)]
    async fn finish_in_order(&self, name: String) {
        self.0.started.add_permits(1);
        self.0.wait().await;
        self.0.record(format!("{name} ends"));
    }

    /// Does not stop when it is cancelled.
    #[action(permission = AllowAny, detached)]
    async fn finish(&self, name: String) {
        self.0.wait().await;
        self.0.record(format!("{name} ends"));
    }

    #[action(permission = AllowAny, cancel = drop)]
    async fn measure(&self, name: String) {
        self.0.wait().await;
        self.0.record(format!("{name} ends"));
    }

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn measure_detached(&self, name: String) {
        self.measure(name).await;
    }

    #[action(permission = Hangs)]
    async fn unreachable(&self) {
        self.0.record("unreachable");
    }

    #[action(permission = Hangs, detached)]
    async fn unreachable_detached(&self) {
        self.0.record("unreachable");
    }

    /// Sends a number per permit, without end.
    #[action(permission = Slow)]
    async fn pour(&self) -> Values {
        let progress = self.0.clone();
        let values = stream::iter(1..).then(move |value| {
            let progress = progress.clone();
            async move {
                progress.wait().await;
                value
            }
        });
        Streamed(values.boxed())
    }

    #[action(permission = AllowAny, in_order)]
    async fn pour_in_order(&self) -> Values {
        self.pour().await
    }

    #[action(permission = AllowAny, detached)]
    async fn pour_detached(&self) -> Values {
        self.pour().await
    }
}

fn foundry() -> (Arc<Progress>, Endpoint<Foundry>) {
    let progress = Progress::new();
    let limits = Limits { max_detached_actions: 100, ..without_timeouts() };
    (progress.clone(), portcullis::websocket(Foundry(progress)).limits(limits).allow_cancel())
}

async fn open(foundry: &Endpoint<Foundry>) -> Client {
    let mut client = connect(foundry).open().await.unwrap();
    assert_eq!(client.call("ping").await.data(), "pong");
    client
}

fn message(action: &str, id: u32) -> String {
    format!(r#"{{"action":"{action}","name":"{id}","request_id":{id}}}"#)
}

fn cancel(target: u32) -> String {
    format!(r#"{{"action":"cancel","request_id":"cancel","target":{target}}}"#)
}

/// Returns the request id and the status of the next frame, or `event` and 0 for an event.
async fn next(client: &mut Client) -> (String, u64) {
    let frame = client.reply().await.value().clone();
    let id = if frame["event"].is_null() { frame["request_id"].clone() } else { Value::from("event") };
    (id.to_string().trim_matches('"').to_owned(), frame["status"].as_u64().unwrap_or_default())
}

/// Returns the next frames in a fixed order.
async fn sorted(client: &mut Client, count: usize) -> Vec<(String, u64)> {
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(next(client).await);
    }
    frames.sort_unstable();
    frames
}

fn pair(id: &str, status: u64) -> (String, u64) {
    (id.to_owned(), status)
}
