//! Reading the logs of a server, while the task of the link goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::attempt::{ConnectionError, REPLY_TIMEOUT};
use crate::broker::broker_unavailable;
use crate::broker::event_log::{LogContents, LogId, LogPosition};
use crate::error::Result;
use crate::panic::log_entry;
use crate::sync::ignore_poison;

/// The number of requests that a link makes at a time. The others wait.
const MAX_REQUESTS: usize = 32;

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

    pub(super) async fn read(&self, log: &LogId, after: Option<LogPosition>) -> Result<LogContents> {
        self.request(async { self.store()?.read(log, after).await }).await
    }

    pub(super) async fn purge(&self, log: &LogId) -> Result<()> {
        self.request(async { self.store()?.purge(log).await }).await
    }

    /// Returns the logs of the connection that there is now.
    fn store(&self) -> Result<Arc<dyn LogStore>, ConnectionError> {
        ignore_poison(self.store.lock()).clone().ok_or_else(|| "the link is down".into())
    }

    /// Makes a request, as soon as there are not too many others.
    async fn request<T>(&self, request: impl Future<Output = Result<T, ConnectionError>>) -> Result<T> {
        if !self.is_connected() {
            return Err(broker_unavailable());
        }
        let Ok(Ok(_permit)) = timeout(REPLY_TIMEOUT, self.permits.acquire()).await else {
            return Err(broker_unavailable());
        };
        let error = match timeout(REPLY_TIMEOUT, request).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) => format!("the server did not reply within {REPLY_TIMEOUT:?}").into(),
        };
        if self.has_failed.swap(true, Ordering::Relaxed) {
            log_entry!(DEBUG, broker = self.broker, %error, "history unavailable again");
        } else {
            log_entry!(WARN, broker = self.broker, %error, "history unavailable");
        }
        Err(broker_unavailable())
    }
}
