//! The drain of an endpoint, and the signals that start it.

#[cfg(feature = "axum")]
use std::future::{Future, pending};

use super::endpoint::Endpoint;
#[cfg(feature = "axum")]
use super::shutdown_signals::ShutdownSignals;
use crate::consumer::Consumer;
#[cfg(feature = "axum")]
use crate::session::Drain;
use crate::session::DrainHandle;

impl<C: Consumer> Endpoint<C> {
    /// Returns a handle that closes the connections of this endpoint and of its clones before the server is stopped.
    pub fn drain_handle(&self) -> DrainHandle {
        DrainHandle::new(self.registry.clone())
    }
}

#[cfg(feature = "axum")]
impl DrainHandle {
    /// Returns a future that waits for SIGTERM or Ctrl-C, drains the endpoint, and completes when the drain has
    /// finished.
    ///
    /// It is an argument for the `with_graceful_shutdown` of axum, which then stops the server: until the drain has
    /// finished, the server still answers, to accept upgrades during the notice and to reject them with 503 after it. A
    /// second signal shortens the drain to [`Drain::NOW`]. From this call on, these signals do not end the process by
    /// themselves, until the drain has finished: axum then waits for HTTP requests without a time limit, and a signal that
    /// arrives meanwhile exits the process with status 1. A signal that arrives before the future is polled is not lost.
    ///
    /// If the process cannot receive signals, an error is logged, and the future never completes.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before a signal arrives, no drain starts. A drain that has started continues.
    ///
    /// # Examples
    ///
    /// A server with several endpoints drains them together:
    ///
    /// ```standalone_crate
    /// # use portcullis::{Drain, DrainHandle};
    /// async fn drain_both(chat: DrainHandle, news: DrainHandle) {
    ///     tokio::join!(chat.on_signal(Drain::default()), news.on_signal(Drain::default()));
    /// }
    /// ```
    pub fn on_signal(&self, drain: Drain) -> impl Future<Output = ()> + Send + use<> {
        let (handle, signals) = (self.clone(), ShutdownSignals::new());
        async move {
            let mut signals = match signals {
                Ok(signals) => signals,
                Err(error) => {
                    tracing::error!(%error, "signal handler not installed: no signal starts a drain");
                    return pending().await;
                }
            };
            signals.recv().await;
            handle.start(drain);
            tokio::select! {
                _ = handle.finished() => {}
                () = signals.recv() => handle.start(Drain::NOW),
            }
            handle.finished().await;
            tokio::spawn(async move {
                signals.recv().await;
                tracing::warn!("process ended by a signal after the drain");
                std::process::exit(1);
            });
        }
    }
}
