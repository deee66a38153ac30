//! Reading the logs of a server, while the task of the link goes on.

#[cfg(not(loom))]
#[cfg(test)]
mod tests;

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::attempt::{ConnectionError, REPLY_TIMEOUT};
use crate::broker::broker_unavailable;
use crate::broker::event_log::{LogContents, LogId, LogPosition, MAX_READ_BYTES};
use crate::error::Result;
use crate::panic::log_entry;
use crate::sync::ignore_poison;

/// The number of requests that a link makes at a time. The others wait for their turn. Each may have [`MAX_READ_BYTES`] in memory.
const MAX_REQUESTS: usize = 8;

/// How long a request may wait until it is made.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// The logs of a connection, for requests that do not wait for each other or for what is published.
pub(in crate::broker) trait LogStore: Send + Sync {
    /// See [`BrokerLink::read_log`](crate::broker::BrokerLink::read_log). The caller limits the time.
    fn read<'a>(
        &'a self,
        log: &'a LogId,
        after: Option<LogPosition>,
    ) -> BoxFuture<'a, Result<LogContents, ConnectionError>>;

    /// See [`BrokerLink::purge_log`](crate::broker::BrokerLink::purge_log). The caller limits the time.
    fn purge<'a>(&'a self, log: &'a LogId) -> BoxFuture<'a, Result<(), ConnectionError>>;
}

/// The logs of the current connection of a link.
pub(super) struct LogAccess {
    broker: &'static str,
    /// `None` while there is no connection.
    store: Mutex<Option<Arc<dyn LogStore>>>,
    permits: Semaphore,
    /// Whether a request has failed on this connection, so that one failure per connection is a warning.
    has_failed: AtomicBool,
}

impl LogAccess {
    pub(super) fn new(broker: &'static str) -> LogAccess {
        LogAccess {
            broker,
            store: Mutex::new(None),
            permits: Semaphore::new(MAX_REQUESTS),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Sets the logs of a new connection, or that there is none.
    pub(super) fn set(&self, store: Option<Arc<dyn LogStore>>) {
        self.has_failed.store(false, Ordering::Relaxed);
        *ignore_poison(self.store.lock()) = store;
    }

    /// Returns whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        ignore_poison(self.store.lock()).is_some()
    }

    /// Reads a log. More than [`MAX_READ_BYTES`] are not returned.
    pub(super) async fn read(&self, log: &LogId, after: Option<LogPosition>) -> Result<LogContents> {
        let (store, _permit) = self.turn(ready(())).await?;
        let mut contents = self.reply("read", store.read(log, after)).await?;
        let messages = contents.messages.iter().flatten();
        if messages.map(|logged| logged.message.len()).sum::<usize>() > MAX_READ_BYTES {
            contents.messages = None;
        }
        Ok(contents)
    }

    /// Purges a log, after the messages that were published before are settled.
    pub(super) async fn purge(&self, log: &LogId, settled: impl Future<Output = ()>) -> Result<()> {
        let connection = self.store()?;
        let (store, _permit) = self.turn(settled).await?;
        // What was under way when a connection was lost may still be appended.
        if !Arc::ptr_eq(&store, &connection) {
            return Err(broker_unavailable());
        }
        self.reply("purge", store.purge(log)).await
    }

    /// Returns the logs of the connection that there is now.
    fn store(&self) -> Result<Arc<dyn LogStore>> {
        ignore_poison(self.store.lock()).clone().ok_or_else(broker_unavailable)
    }

    /// Waits for what a request follows, and until there are not too many others. Returns the logs of the connection that there is
    /// then.
    async fn turn(&self, previous: impl Future<Output = ()>) -> Result<(Arc<dyn LogStore>, SemaphorePermit<'_>)> {
        self.store()?;
        let turn = async {
            previous.await;
            self.permits.acquire().await
        };
        let Ok(Ok(permit)) = timeout(TURN_TIMEOUT, turn).await else { return Err(broker_unavailable()) };
        Ok((self.store()?, permit))
    }

    /// Waits for the reply to a request, and logs its failure.
    async fn reply<T>(
        &self,
        operation: &'static str,
        request: impl Future<Output = Result<T, ConnectionError>>,
    ) -> Result<T> {
        let error = match timeout(REPLY_TIMEOUT, request).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) => format!("the server did not reply within {REPLY_TIMEOUT:?}").into(),
        };
        let broker = self.broker;
        if self.has_failed.swap(true, Ordering::Relaxed) {
            log_entry!(DEBUG, broker, operation, %error, "history request failed");
        } else {
            log_entry!(WARN, broker, operation, %error, "history request failed");
        }
        Err(broker_unavailable())
    }
}
