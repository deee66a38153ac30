//! The drain of an endpoint: the public handle [`DrainHandle`].

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use tokio::runtime::Handle;

use super::drain::{Drain, DrainReport};
use super::drain_state::DrainPhase;
use super::drain_task::{DrainTarget, DrainTask};
use super::session::SessionRegistry;
use crate::consumer::Consumer;

/// A handle that closes the connections of an endpoint before its server is stopped.
///
/// Returned by [`Endpoint::drain_handle`](crate::Endpoint::drain_handle). Cloning returns another handle. axum's
/// `with_graceful_shutdown` does not know the connections that were upgraded: without a drain, they end without a close
/// frame and without `#[disconnect]` when the process ends. The chapter on [operations](crate::guide::operations)
/// describes deployments.
///
/// | step | begins | what happens |
/// |---|---|---|
/// | notice | at [`start`](DrainHandle::start) | [`is_ready`](DrainHandle::is_ready) returns `false`; upgrades are still accepted |
/// | window | after [`Drain::notice`] | upgrades are rejected with 503 and `Retry-After`; connections are closed with 1012, at a constant rate over [`Drain::window`] |
/// | deadline | [`Drain::deadline`] after `start` | actions that still run are dropped |
///
/// A closed connection begins no further action. Its streams end, and its running actions run on, but their replies are
/// not sent. `#[disconnect]` runs when they have ended, or have been dropped at the deadline; two seconds after that it
/// is dropped too. An action marked `blocking` occupies its thread until it returns, and is not waited for after the
/// deadline. The drain finishes as soon as the last connection has ended. The endpoint does not accept connections after
/// that.
///
/// # Examples
///
/// [`on_signal`](DrainHandle::on_signal) ties the drain to SIGTERM and Ctrl-C:
///
/// ```standalone_crate,no_run
/// use axum::Router;
/// use axum::routing::get;
/// use portcullis::{AllowAny, Drain, consumer, websocket};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let echo = websocket(Echo);
/// let drain = echo.drain_handle();
/// let readiness = drain.clone();
/// let app = Router::new()
///     .route("/ws", echo.into_route())
///     .route("/ready", get(async move || readiness.readiness()));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, app).with_graceful_shutdown(drain.on_signal(Drain::default())).await?;
/// println!("{:?}", drain.finished().await);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DrainHandle {
    target: Arc<dyn DrainTarget>,
}

impl DrainHandle {
    pub(crate) fn new<C: Consumer>(registry: Arc<SessionRegistry<C>>) -> DrainHandle {
        DrainHandle { target: registry }
    }

    /// Starts to drain the endpoint and its clones, and returns at once.
    ///
    /// If a drain has started before, it is shortened: each step takes place at the earlier one of both times, counted
    /// from now. No step is delayed. [`Drain::NOW`] closes all connections and drops their actions at once.
    ///
    /// The drain takes place in a task of the current runtime, and continues if this handle and all others are dropped. If
    /// that runtime is shut down first, the drain continues with the next call.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn start(&self, drain: Drain) {
        // Before the state changes: if there is no runtime, no drain has started.
        let runtime = Handle::current();
        if self.target.drain().start(&drain) {
            runtime.spawn(DrainTask::new(self.target.clone()).run());
        }
    }

    /// Waits until the drain has finished, and returns its report. Until a drain is [started](DrainHandle::start), this
    /// waits too.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, only the wait is abandoned. It may be called again.
    pub async fn finished(&self) -> DrainReport {
        self.target.drain().finished().await
    }

    /// Returns whether no drain has started. A balancer should send no new connections if this returns `false`.
    pub fn is_ready(&self) -> bool {
        self.target.drain().phase() == DrainPhase::Serving
    }

    /// Returns [`is_ready`](DrainHandle::is_ready) as the answer of a readiness route: 200, or 503 once a drain has
    /// started.
    pub fn readiness(&self) -> StatusCode {
        if self.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

impl fmt::Debug for DrainHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (consumer, phase) = (self.target.consumer_name(), self.target.drain().phase());
        f.debug_struct("DrainHandle").field("consumer", &consumer).field("phase", &phase).finish_non_exhaustive()
    }
}
