//! Draining an endpoint: upgrades are rejected after a notice, connections are closed with 1012 over a window, actions
//! that run have until the deadline, and no connection is left.

mod actions;
mod handshake;
mod load;
mod schedule;
mod sockets;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use http::request::Parts;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Drain, DrainReport, Endpoint, Limits, NoReply, Permission,
    PermissionContext, Result, Streamed, consumer,
};

use crate::common::limits::without_timeouts;
use crate::common::progress::Progress;
use crate::common::{Member, member};

/// What tests and server share.
struct State {
    progress: Arc<Progress>,
    connected: AtomicUsize,
    begun: AtomicUsize,
    ended: AtomicUsize,
    disconnect_count: AtomicUsize,
}

impl Deref for State {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl State {
    fn counts(&self) -> [usize; 3] {
        [&self.begun, &self.ended, &self.disconnect_count].map(|count| count.load(Ordering::SeqCst))
    }
}

/// Records how a body ends.
struct EndOfBody<'s> {
    state: &'s State,
    name: &'s str,
    is_complete: bool,
}

impl Drop for EndOfBody<'_> {
    fn drop(&mut self) {
        self.state.record(format!("{} {}", self.name, if self.is_complete { "ends" } else { "is dropped" }));
    }
}

struct Harbour(Arc<State>);

/// Never answers while `is_denied` is set.
struct Answers;

impl Permission<Harbour> for Answers {
    async fn has_permission(&self, harbour: &Harbour, _: &PermissionContext<'_, Member>) -> Result<bool> {
        if harbour.0.is_denied.load(Ordering::SeqCst) {
            harbour.0.started.add_permits(1);
            std::future::pending::<()>().await;
        }
        Ok(true)
    }
}

#[consumer(user = Member, connect = "Answers")]
impl Harbour {
    /// Waits for a member with the role `slow`.
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) {
        self.0.connected.fetch_add(1, Ordering::SeqCst);
        if has_role(cx.scope().user(), "slow") {
            self.run("connect").await;
        }
    }

    /// Waits for a member with the role `slow to leave`.
    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, Member>) {
        self.0.disconnect_count.fetch_add(1, Ordering::SeqCst);
        self.0.record_disconnect(cx, cx.scope().user().map(|member| member.id));
        if has_role(cx.user(), "slow to leave") {
            self.run("disconnect").await;
        }
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = AllowAny)]
    async fn note(&self, text: String) {
        self.0.record(text);
    }

    /// Takes that many milliseconds.
    #[action(permission = AllowAny)]
    async fn load(&self, millis: u64) -> NoReply {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        NoReply
    }

    #[action(permission = AllowAny)]
    async fn wait(&self, name: String) {
        self.run(&name).await;
    }

    #[action(permission = AllowAny, detached)]
    async fn wait_detached(&self, name: String) {
        self.run(&name).await;
    }

    #[action(permission = AllowAny, blocking)]
    fn wait_blocking(&self, name: String) {
        tokio::runtime::Handle::current().block_on(self.run(&name));
    }

    /// Sends values without end.
    #[action(permission = AllowAny)]
    async fn values(&self, cx: &Context<'_, Member>) -> Result<Streamed<impl Stream<Item = u8> + use<>>> {
        let _ = cx;
        self.0.started.add_permits(1);
        Ok(Streamed(stream::iter([1]).chain(stream::pending())))
    }

    #[action(permission = AllowAny, detached)]
    async fn values_detached(&self, cx: &Context<'_, Member>) -> Result<Streamed<impl Stream<Item = u8> + use<>>> {
        self.values(cx).await
    }
}

impl Harbour {
    /// The body of an action: waits for a permit.
    async fn run(&self, name: &str) {
        let mut end = EndOfBody { state: &self.0, name, is_complete: false };
        self.0.record(format!("{name} begins"));
        self.0.wait().await;
        end.is_complete = true;
    }
}

fn has_role(user: Option<&Member>, role: &str) -> bool {
    user.is_some_and(|member| member.roles.contains(&role))
}

fn harbour_with(limits: Limits) -> (Arc<State>, Endpoint<Harbour>) {
    let [connected, begun, ended, disconnect_count] = [(); 4].map(|()| AtomicUsize::new(0));
    let state = Arc::new(State { progress: Progress::new(), connected, begun, ended, disconnect_count });
    (state.clone(), portcullis::websocket(Harbour(state)).limits(limits))
}

fn harbour() -> (Arc<State>, Endpoint<Harbour>) {
    harbour_with(without_timeouts())
}

/// Connects as user `id`, after `#[connect]` has succeeded.
async fn open(harbour: &Endpoint<Harbour>, id: u32) -> Client {
    open_with_role(harbour, id, "sailor").await
}

async fn open_with_role(harbour: &Endpoint<Harbour>, id: u32, role: &'static str) -> Client {
    let mut client = connect(harbour).user(member(id, &[role])).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

fn message(action: &str, name: &str) -> String {
    format!(r#"{{"action":"{action}","name":"{name}","text":"{name}"}}"#)
}

/// Five seconds of notice, ten of closing, and ten more for actions.
const DRAIN: Drain =
    Drain { notice: Duration::from_secs(5), window: Duration::from_secs(10), deadline: Duration::from_secs(25) };

/// Closes at once, and leaves actions a minute.
const AT_ONCE: Drain = Drain { notice: Duration::ZERO, window: Duration::ZERO, deadline: Duration::from_mins(1) };

fn figures(report: DrainReport) -> [usize; 3] {
    [report.closed, report.finished, report.cut]
}
