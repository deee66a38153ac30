//! A link to a server, kept by a task: one connection after the other, each with its subscriptions, messages and heartbeat.

mod attempt;
mod log_access;
mod reports;
mod requests;
mod retry_delay;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub(super) use self::attempt::{ConnectionError, REPLY_TIMEOUT};
use self::log_access::LogAccess;
pub(super) use self::log_access::LogStore;
pub(super) use self::reports::Reports;
use self::requests::LinkRequests;
pub(super) use self::requests::SubscriptionChange;
use self::retry_delay::retry_delay;
use super::event_log::Destination;
use super::event_log::{LogContents, LogId, LogPosition};
use super::inbox::Inbox;
use super::{BrokerLink, Channel, LinkReceiver};
use crate::error::Result as CallResult;
use crate::panic::log_entry;

/// How long a link that was dropped may send what waits.
const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// How often the server must show that it is there.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Opens the connections of one link.
pub(super) trait Connect: Send + Sync + 'static {
    type Connection: Connection;

    /// The name of the broker in log entries.
    const BROKER: &'static str;

    /// Opens a connection, which gives the reports what it receives. The supervisor limits the time.
    fn connect(&self, reports: &Arc<Reports>)
    -> impl Future<Output = Result<Self::Connection, ConnectionError>> + Send;
}

/// A connection to the server, which closes when it is dropped. The supervisor limits the time of each call, and drops the
/// connection after an error.
pub(super) trait Connection: Send {
    /// Subscribes to channels and unsubscribes from them, and waits until each subscription was confirmed, by
    /// [`Reports::confirm`].
    fn change_subscriptions(
        &mut self,
        changes: &[SubscriptionChange],
    ) -> impl Future<Output = Result<(), ConnectionError>> + Send;

    /// Sends messages in order. What [`Connection::logs`] is asked for afterwards is done after them. Messages for a log that the
    /// server refuses are dropped, by [`Reports::overflow`].
    fn publish(
        &mut self,
        messages: Vec<(Destination, Bytes)>,
    ) -> impl Future<Output = Result<(), ConnectionError>> + Send;

    /// Returns what reads the logs, also while this connection is in use.
    fn logs(&self) -> Arc<dyn LogStore>;

    /// Waits for a reply of the server.
    fn ping(&mut self) -> impl Future<Output = Result<(), ConnectionError>> + Send;
}

/// The link. Its task owns the connection.
pub(super) struct ServerLink {
    broker: &'static str,
    namespace: String,
    requests: Arc<LinkRequests>,
    logs: Arc<LogAccess>,
    task: JoinHandle<()>,
}

impl ServerLink {
    /// Opens a link.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(super) fn open<C: Connect>(connect: C, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<ServerLink> {
        let (requests, logs) = (Arc::new(LinkRequests::default()), Arc::new(LogAccess::new(C::BROKER)));
        let supervisor = Supervisor {
            connect,
            namespace: namespace.to_owned(),
            requests: requests.clone(),
            logs: logs.clone(),
            inbox: Arc::new(Inbox::new(receiver)),
            failed_attempts: 0,
        };
        let task = tokio::spawn(supervisor.run());
        Arc::new(ServerLink { broker: C::BROKER, namespace: namespace.to_owned(), requests, logs, task })
    }
}

impl BrokerLink for ServerLink {
    fn publish(&self, channel: Channel, message: Bytes) -> bool {
        self.requests.publish(channel, message)
    }

    /// What is queued when the connection is lost is appended by the next one.
    fn append(&self, log: &LogId, message: Bytes) -> bool {
        self.logs.is_connected() && self.requests.publish(Destination::Log(*log), message)
    }

    fn read_log(&self, log: LogId, after: Option<LogPosition>) -> BoxFuture<'_, CallResult<LogContents>> {
        Box::pin(async move { self.logs.read(&log, after).await })
    }

    fn purge_log(&self, log: LogId) -> BoxFuture<'_, CallResult<()>> {
        let settled = self.requests.settled();
        Box::pin(async move { self.logs.purge(&log, settled).await })
    }

    fn subscribe(&self, channel: Channel) {
        self.requests.subscribe(channel);
    }

    fn unsubscribe(&self, channel: Channel) {
        self.requests.unsubscribe(channel);
    }
}

impl Drop for ServerLink {
    /// Lets the task send what waits, for a while.
    fn drop(&mut self) {
        self.requests.close();
        let task = self.task.abort_handle();
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    sleep(DROP_TIMEOUT).await;
                    task.abort();
                });
            }
            Err(_) => task.abort(),
        }
    }
}

impl fmt::Debug for ServerLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broker, namespace, .. } = self;
        f.debug_struct("ServerLink").field("broker", broker).field("namespace", namespace).finish_non_exhaustive()
    }
}

/// The task of a link.
struct Supervisor<C> {
    connect: C,
    namespace: String,
    requests: Arc<LinkRequests>,
    logs: Arc<LogAccess>,
    inbox: Arc<Inbox>,
    /// Since the link last worked for as long as a heartbeat. Not reset earlier, because a server that accepts connections and
    /// closes them is not asked without pause either.
    failed_attempts: u32,
}

impl<C: Connect> Supervisor<C> {
    async fn run(mut self) {
        loop {
            let reports = Arc::new(Reports::new(self.inbox.clone(), self.requests.clone()));
            let Err(error) = self.serve(&reports).await;
            self.logs.set(None);
            self.requests.settle();
            reports.lose("");
            if self.requests.is_closed() {
                return;
            }
            self.failed_attempts = self.failed_attempts.saturating_add(1);
            let (broker, namespace, attempts) = (C::BROKER, &*self.namespace, self.failed_attempts);
            if attempts == 1 {
                log_entry!(WARN, broker, namespace, %error, "broker connection failed, connecting again");
            } else {
                log_entry!(DEBUG, broker, namespace, %error, attempts, "broker connection failed again");
            }
            sleep(retry_delay(attempts)).await;
        }
    }

    /// Connects, and uses the connection until it is lost. What is sent waits for what was sent before, so that the time limit
    /// of each covers all.
    async fn serve(&mut self, reports: &Arc<Reports>) -> Result<Infallible, ConnectionError> {
        let mut connection = limited(reports, self.connect.connect(reports)).await?;
        self.logs.set(Some(connection.logs()));
        let mut replied_at = Instant::now();
        loop {
            if replied_at.elapsed() >= HEARTBEAT_INTERVAL {
                limited(reports, connection.ping()).await?;
                replied_at = Instant::now();
                self.end_outage();
            }
            let changes = reports.start_subscription_changes();
            if !changes.is_empty() {
                limited(reports, connection.change_subscriptions(&changes)).await?;
            }
            let messages = reports.start_publishing();
            if !messages.is_empty() {
                let is_control = |(destination, _): &&(_, _)| *destination == Destination::Channel(Channel::Control);
                let control = messages.iter().filter(is_control).map(|(_, message)| message.clone()).collect();
                if let Err(error) = limited(reports, connection.publish(messages)).await {
                    // Receivers discard what they get twice, by its number. A missing number would make each of them evaluate
                    // everything anew.
                    self.requests.put_back(control);
                    return Err(error);
                }
                self.requests.settle();
                continue;
            }
            if self.requests.is_closed() {
                return Err("the link was dropped".into());
            }
            tokio::select! {
                cause = reports.lost() => return Err(cause.into()),
                () = self.requests.changed() => {}
                () = sleep_until(replied_at + HEARTBEAT_INTERVAL) => {}
            }
        }
    }

    fn end_outage(&mut self) {
        let attempts = std::mem::take(&mut self.failed_attempts);
        if attempts > 0 {
            log_entry!(INFO, broker = C::BROKER, namespace = &*self.namespace, attempts, "broker connection restored");
        }
    }
}

/// Waits for the server, unless it takes too long or the connection is lost.
async fn limited<T>(
    reports: &Reports,
    reply: impl Future<Output = Result<T, ConnectionError>>,
) -> Result<T, ConnectionError> {
    tokio::select! {
        biased;
        cause = reports.lost() => Err(cause.into()),
        reply = timeout(REPLY_TIMEOUT, reply) => {
            reply.unwrap_or_else(|_| Err(format!("the server did not reply within {REPLY_TIMEOUT:?}").into()))
        }
    }
}
